import { flatSettings, formatList } from '@g2d/analysis/internal';
import { formatNumber } from '@g2d/core';
import { doubtsOf } from '../data/paper-values.js';
import type { StandIn } from '../data/stand-ins.js';
import type { FilledGrid } from '../layout/fill.js';
import { datasetName, methodName } from '../layout/names.js';
import { LITERAL } from '../plan/places.js';
import type { TableParts } from '../table-parts.js';
import type { RunResult } from '../results/run-result.js';
import { meanRanks } from './mean-ranks.js';
import { referenceNotes } from './reference-notes.js';
import { TABLE_NOTES } from './table-notes.js';

/** What notes are about. */
export interface NoteParts extends TableParts {
  readonly place: string;
  readonly grids: readonly FilledGrid[];
  /** Results that stand in a cell. */
  readonly used: readonly RunResult[];
  readonly standIns: readonly StandIn[];
  /** The paper's methods that no run is planned of. */
  readonly unplanned: readonly string[];
  readonly mixed: string | undefined;
}

/** Everything that a reader of a table has to know, and its cells do not say. */
export function notesOf(parts: NoteParts): readonly string[] {
  const { place, number, plan, grids, used, standIns, unplanned, mixed, known, absent } = parts;
  return [
    ...standInNotes(standIns),
    ...plan.notes,
    ...unplannedNote(unplanned),
    ...referenceNotes(parts),
    ...agreementNote(grids),
    ...(number === 5 ? meanRanks(grids) : []),
    ...epochNotes(used),
    ...optionNotes(used),
    ...commitNote(used),
    ...(mixed === undefined ? [] : [`${mixed}; they are taken together as asked.`]),
    ...(known.fromFile > 0
      ? [`${known.fromFile} of the runs were trained elsewhere, and are from a file of results.`]
      : []),
    ...openNotes(parts),
    ...[...absent].map(([dataset, message]) => `${datasetName(dataset)} is not run: ${message}`),
    ...known.refused,
    ...(TABLE_NOTES[parts.literal ? LITERAL : place] ?? []),
    ...doubtsOf(place).map(
      ({ level, where, text }) => `Doubt about published numbers (${level}), ${where}: ${text}`,
    ),
  ];
}

const standInNotes = (standIns: readonly StandIn[]): string[] =>
  standIns.flatMap(({ paper, ours, why }) =>
    why === undefined
      ? []
      : [
          `${datasetName(ours)} stands where the paper has ${datasetName(paper)} (${why}): published numbers are those of ${datasetName(paper)}, and are not to be reached.`,
        ],
  );

const unplannedNote = (methods: readonly string[]): string[] =>
  methods.length === 0 ? [] : [`No run is planned at this scale of ${formatList(methods.map(methodName))}.`];

function agreementNote(grids: readonly FilledGrid[]): string[] {
  const all = grids.flatMap(({ agreement }) => agreement);
  if (all.length === 0) return [];
  const words = all.map(({ of, tau, count }) => `${of} ${formatNumber(tau, 2).replace('-', '−')} (${count})`);
  return [
    `How much of the published order came back, Kendall’s τ between our means and the published values, in brackets of how many: ${words.join('; ')}.`,
  ];
}

function epochNotes(used: readonly RunResult[]): string[] {
  const students = used.filter(({ kind }) => kind === 'student');
  const byEpochs = new Map<number, Set<string>>();
  for (const { epochs, method } of students)
    byEpochs.set(epochs, (byEpochs.get(epochs) ?? new Set()).add(methodName(method)));
  const sorted = [...byEpochs].sort(([, a], [, b]) => b.size - a.size);
  const [usual, ...others] = sorted;
  if (!usual) return [];
  const rest = others.map(([epochs, names]) => `${formatList([...names])} ${epochs}`);
  return [`Epochs: ${usual[0]}${rest.length > 0 ? `; ${rest.join('; ')}` : ''}.`];
}

/** Options of methods as they were set; whatever stands in a configuration and is nobody's is not recorded by a run. */
function optionNotes(used: readonly RunResult[]): string[] {
  const found = new Map<string, Map<string, Set<string>>>();
  for (const { kind, settings } of used) {
    if (kind !== 'student') continue;
    const { methodOptions = {} } = settings as { methodOptions?: Record<string, Record<string, unknown>> };
    for (const [method, options] of Object.entries(methodOptions)) {
      const own = found.get(method) ?? new Map<string, Set<string>>();
      for (const [key, value] of flatSettings(options)) own.set(key, (own.get(key) ?? new Set()).add(value));
      found.set(method, own);
    }
  }
  const words = [...found].flatMap(([method, options]) => {
    const each = [...options].map(([key, values]) => `${key} ${[...values].join(' or ')}`);
    return each.length === 0 ? [] : [`${method}: ${each.join(', ')}`];
  });
  return words.length === 0 ? [] : [`Options of methods: ${words.sort().join('; ')}.`];
}

function commitNote(used: readonly RunResult[]): string[] {
  const commits = new Set(used.flatMap(({ commit }) => commit ?? []));
  return commits.size > 1
    ? [
        `The runs are from ${commits.size} commits of the same versions: ${[...commits].map((commit) => commit.slice(0, 10)).join(', ')}.`,
      ]
    : [];
}

/** Failures that are named; of more only the number. */
const MOST = 8;

function openNotes({ plan, known, absent }: NoteParts): string[] {
  const planned = new Map(plan.members.map(({ id, combination }) => [id, combination.dataset]));
  const needed = new Set(
    plan.members.flatMap(({ id, needs }) => (absent.has(planned.get(id) as string) ? [] : [id, ...needs])),
  );
  const open = known.status.filter(
    ({ id, state }) => state !== 'finished' && needed.has(id) && !known.results.has(id),
  );
  const failed = open.filter(({ state }) => state === 'failed');
  const blocked = open.filter(({ state }) => state === 'blocked');
  const others = open.length - failed.length - blocked.length;
  const more = failed.length - MOST;
  return [
    ...failed.slice(0, MOST).map(({ id, why = '' }) => {
      const of = blocked.filter((run) => run.why?.includes(id)).length;
      const lost =
        of === 0
          ? ''
          : ` ${of} ${of === 1 ? 'run that needs it is' : 'runs that need it are'} not run either.`;
      return `${id} failed: ${why}${lost}`;
    }),
    ...(more > 0 ? [`${more} more runs failed; g2d sweep status ${plan.pool.out} names them.`] : []),
    ...(others > 0 ? [`${others} ${others === 1 ? 'run is' : 'runs are'} still to be trained.`] : []),
  ];
}
