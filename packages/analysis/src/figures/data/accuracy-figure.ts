import { meanAndDeviation } from '../../mean-interval.js';
import { phaseEpochsOf } from '../../run-settings.js';
import type { EpochMetrics, Run } from '../../run.js';
import { SCORES } from '../../score-words.js';
import { byEpoch } from './by-epoch.js';
import { paddedDomain } from './domain.js';
import type { FigureClaim, FigureData, FigureRuns, FigureValue, LinesPanel } from './figure-data.js';
import {
  labelOf,
  meanOf,
  missingRun,
  modalitiesOf,
  seedsOf,
  seedWords,
  studentOf,
  teacherOf,
  toneOf,
  weakestOf,
} from './select.js';

/** A line of a panel: one run for each seed. */
interface Source {
  readonly method: string;
  readonly head: string;
  readonly runs: readonly Run[];
}

/**
 * Figure 1: accuracy over the epochs, one panel for each modality (its teacher, the heads of joint training and of G2D) and one for the
 * fused result.
 *
 * @param data Teachers of every modality, and students `joint` and `g2d`, of the same seeds, from `readRun`. Epochs have their test results
 * if the runs were trained with `test` in `evaluation.splits`; else the lines are of the validation split.
 * @throws {OptionError} If one of these runs is missing.
 * @see G2D, Fig. 1
 */
export function accuracyFigure(data: FigureRuns<Run>): FigureData {
  const { dataset } = data;
  const modalities = modalitiesOf(data);
  const seeds = completeSeeds(data, modalities);
  const found = (run: Run | undefined): Run => run as Run;
  const sources = (head: string): Source[] => [
    ...(head === 'fused'
      ? []
      : [{ method: 'teacher', head, runs: seeds.map((seed) => found(teacherOf(data.runs, head, seed))) }]),
    ...['joint', 'g2d'].map((method) => ({
      method,
      head,
      runs: seeds.map((seed) => found(studentOf(data.runs, method, seed))),
    })),
  ];
  const heads = [...modalities, 'fused'];
  const all = heads.flatMap(sources);
  const split = all.every(({ runs }) => runs.every(({ metrics }) => metrics.some(({ test }) => test)))
    ? 'test'
    : 'validation';
  const read =
    ({ head }: Source) =>
    (epoch: EpochMetrics): number | undefined =>
      epoch[split]?.[head];
  const values = all.flatMap((source) =>
    source.runs.flatMap((run) => [
      ...run.metrics.flatMap((epoch): FigureValue[] => {
        const value = read(source)(epoch);
        return value === undefined
          ? []
          : [{ ...about(source, run, dataset), split, epoch: epoch.epoch, value }];
      }),
      {
        ...about(source, run, dataset),
        split: 'test',
        value: run.summary.test[source.head] ?? NaN,
      },
    ]),
  );
  const [first] = all;
  const { task = 'classification' } = first?.runs[0]?.summary ?? {};
  const score = `${SCORES[task].name} on ${split}, %`;
  const weak = weakestModality(data.runs, modalities, seeds);
  return {
    number: 1,
    title: `Heads over the epochs, ${dataset} (${seedWords(seeds)})`,
    columns: heads.length > 4 ? Math.ceil(heads.length / 2) : heads.length,
    panels: heads.map((head) => panelOf(head, sources(head), { score, read })),
    values,
    claims: claimsOf(data, { modalities, seeds, weak }),
    notes: [
      ...(split === 'validation'
        ? [
            'The lines are of the validation split: the runs did not evaluate the test split in training ("evaluation.splits"). What the claims compare is of the test split.',
          ]
        : []),
      `The claim on the weak modality is about ${weak}, of which the teachers are least confident; "indifferent" is tested on the others.`,
      ...(seeds.length > 1 ? ['Bands are a standard deviation over seeds to either side.'] : []),
    ],
  };
}

const about = ({ method, head }: Source, { config }: Run, dataset: string) => ({
  quantity: 'score',
  dataset,
  method,
  head,
  seed: config.seed,
});

function completeSeeds(data: FigureRuns<Run>, modalities: readonly string[]): number[] {
  const { runs } = data;
  const all = seedsOf(runs);
  const lacking = (seed: number): string | undefined =>
    ['joint', 'g2d'].find((method) => !studentOf(runs, method, seed)) ??
    modalities.map((m) => (teacherOf(runs, m, seed) ? undefined : `the teacher of ${m}`)).find(Boolean);
  const complete = all.filter((seed) => lacking(seed) === undefined);
  if (complete.length > 0) return complete;
  throw missingRun(data, lacking(all[0] ?? 0) ?? 'joint');
}

function panelOf(
  head: string,
  sources: readonly Source[],
  {
    score,
    read,
  }: {
    readonly score: string;
    readonly read: (source: Source) => (epoch: EpochMetrics) => number | undefined;
  },
): LinesPanel {
  const epochs = Math.max(1, ...sources.flatMap(({ runs }) => runs.map(({ config }) => config.epochs)));
  const series = sources.map((source) => ({ source, line: lineOf(source, read(source)) }));
  const shown = series.flatMap(({ line }) => [
    ...line.points.map(([, y]) => y),
    ...line.band.flatMap(([, low, high]) => [low, high]),
  ]);
  const phases = phaseBorders(sources);
  return {
    kind: 'lines',
    title: head,
    x: { label: 'epoch', domain: [0, epochs] },
    y: { label: score, domain: paddedDomain(shown, [0, 100]) },
    series: series.map(({ source: { method, runs }, line }) => ({
      name: labelOf(method),
      tone: toneOf(method),
      dashed: method === 'teacher',
      points: line.points,
      ...(runs.length > 1 && { band: line.band }),
      marks: line.marks,
    })),
    ...(phases.length > 0 && { verticals: phases }),
  };
}

/** Mean and deviation over seeds, at the epochs that all of them have; where each seed's selected epoch is. */
function lineOf(
  { runs }: Source,
  read: (epoch: EpochMetrics) => number | undefined,
): {
  readonly points: (readonly [number, number])[];
  readonly band: (readonly [number, number, number])[];
  readonly marks: (readonly [number, number])[];
} {
  const complete = byEpoch(runs, read).filter(([, list]) => list.length === runs.length);
  const points = complete.map(([epoch, list]) => [epoch, meanOf(list) as number] as const);
  const at = new Map(points);
  const selected = [...new Set(runs.flatMap(({ summary }) => summary.selectedEpoch ?? []))];
  return {
    points,
    band: complete.map(([epoch, list]) => {
      const { mean, deviation = 0 } = meanAndDeviation(list);
      return [epoch, mean - deviation, mean + deviation] as const;
    }),
    marks: selected.flatMap((epoch) => {
      const value = at.get(epoch);
      return value === undefined ? [] : [[epoch, value] as const];
    }),
  };
}

/** Where a phase of G2D ends and the next begins. */
function phaseBorders(sources: readonly Source[]): { readonly x: number; readonly label: string }[] {
  const run = sources.find(({ method }) => method === 'g2d')?.runs[0];
  const lengths = (run && phaseEpochsOf(run.config)) ?? [];
  let end = 0;
  return lengths.slice(0, -1).flatMap((length, i) => {
    end += length;
    const isLast = i === lengths.length - 2;
    return length > 0 ? [{ x: end, label: isLast ? 'joint phase' : `phase ${i + 2}` }] : [];
  });
}

/** The modality of which the teachers are least sure: Eq. 5 in the run with SMP, else what they come to alone on test. */
function weakestModality(
  runs: readonly Run[],
  modalities: readonly string[],
  seeds: readonly number[],
): string | undefined {
  const rho = (modality: string): number | undefined =>
    meanOf(
      seeds.flatMap((seed) =>
        (studentOf(runs, 'g2d', seed)?.metrics ?? []).map((e) => e.confidence?.[modality]),
      ),
    );
  const alone = (modality: string): number | undefined =>
    meanOf(seeds.map((seed) => teacherOf(runs, modality, seed)?.summary.test[modality]));
  return (
    weakestOf(Object.fromEntries(modalities.map((m) => [m, rho(m) ?? NaN]))) ??
    weakestOf(Object.fromEntries(modalities.map((m) => [m, alone(m) ?? NaN])))
  );
}

function claimsOf(
  { dataset, runs }: FigureRuns<Run>,
  {
    modalities,
    seeds,
    weak,
  }: {
    readonly modalities: readonly string[];
    readonly seeds: readonly number[];
    readonly weak: string | undefined;
  },
): FigureClaim[] {
  const test = (run: Run | undefined, head: string): number => run?.summary.test[head] ?? NaN;
  const student = (method: string, head: string) => (seed: number) =>
    test(studentOf(runs, method, seed), head);
  const teacher = (head: string) => (seed: number) => test(teacherOf(runs, head, seed), head);
  const best = (seed: number): number => Math.max(...modalities.map((m) => teacher(m)(seed)));
  const bySeed = (value: (seed: number) => number): FigureClaim['values'] =>
    seeds.map((seed) => ({ seed, value: value(seed) }));
  const claim = (
    id: string,
    words: string,
    value: (seed: number) => number,
    rest: Partial<Pick<FigureClaim, 'kind' | 'limit'>> = {},
  ): FigureClaim => ({ id, dataset, words, kind: 'above', limit: 0, ...rest, values: bySeed(value) });
  const ofWeak = weak === undefined ? [] : [weak];
  return [
    ...ofWeak.flatMap((m) => [
      claim('F1.1', `${m}: teacher − joint training’s head`, (s) => teacher(m)(s) - student('joint', m)(s)),
      claim(
        'F1.1',
        `${m}: G2D’s head − joint training’s`,
        (s) => student('g2d', m)(s) - student('joint', m)(s),
      ),
    ]),
    ...modalities
      .filter((m) => m !== weak)
      .flatMap((m) =>
        ['joint', 'g2d'].map((method) =>
          claim(
            'F1.2',
            `${m}: |${labelOf(method)}’s head − teacher|`,
            (s) => Math.abs(student(method, m)(s) - teacher(m)(s)),
            { kind: 'at most', limit: 3 },
          ),
        ),
      ),
    claim('F1.3', 'fused: G2D − the best teacher', (s) => student('g2d', 'fused')(s) - best(s)),
    claim('F1.3', 'fused: joint training − the best teacher', (s) => student('joint', 'fused')(s) - best(s), {
      kind: 'below',
    }),
  ];
}
