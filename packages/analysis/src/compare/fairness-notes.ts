import { formatNumber } from '@g2d/core';
import { formatList, formatSeconds } from '../format.js';
import { flatSettings } from '../run-settings.js';
import { stepsWords, timesWords } from './cost-words.js';
import type { ComparisonRow, ComparisonTable } from './comparison.js';
import { decidesOrder, type SettingDifference } from './setting-differences.js';

/** Rows that differ from the one they are compared with in more than the method, with both values: one note for all that differ alike. */
export function settingNotes(rows: readonly ComparisonRow[]): string[] {
  const notes = new Map<string, { readonly labels: string[]; readonly order: string[] }>();
  for (const { label, against } of rows) {
    if (!against || against.differences.length === 0) continue;
    const { differences } = against;
    const than = `from ${against.label} in more than the method: ${differences.map(words).join('; ')}`;
    const order = differences.filter(decidesOrder).map(({ key }) => key);
    notes.set(than, { labels: [...(notes.get(than)?.labels ?? []), label], order });
  }
  return [...notes].map(
    ([than, { labels, order }]) =>
      `${formatList(labels)} ${labels.length === 1 ? 'differs' : 'differ'} ${than}. Part of what sets them apart may be that.${
        order.length > 0
          ? ` Their seeds are paired, but the same seed is not the same order of the same data (${order.join(', ')}).`
          : ''
      }`,
  );
}

const words = ({ key, own, other }: SettingDifference): string =>
  `${key} ${own ?? 'not said'} (there ${other ?? 'not said'})`;

const LEGEND =
  'A joint step is a pass of every encoder forward and one backward; a backward pass counts as two forward ones. What follows a + is the training of the teachers, and of runs whose encoders it begins with, in every row that needed them; evaluation counts in the time alone.';

/** By how much one number may be larger than another without a word. */
const ALIKE = 1.02;

/** What rows needed beyond joint training, and what is not known of it. */
export function costNotes({ rows, teachers }: Pick<ComparisonTable, 'rows' | 'teachers'>): string[] {
  const all = [...rows, ...teachers];
  const known = all.some(({ cost }) => cost.steps);
  const silent = all.filter(({ cost }) => !cost.steps).map(({ label }) => label);
  return [
    ...moreNotes(rows),
    ...(known && silent.length > 0
      ? [
          `How often encoders ran is not recorded by an earlier version, for every seed of ${formatList(silent)}.`,
        ]
      : []),
    ...(known ? [LEGEND] : []),
    ...machineNotes(all),
  ];
}

/** One note for all rows that needed the same. */
function moreNotes(rows: readonly ComparisonRow[]): string[] {
  const notes = new Map<string, string[]>();
  for (const row of rows) {
    const more = moreOf(
      row,
      rows.find(({ label }) => label === row.against?.label),
    );
    if (more.length === 0) continue;
    const text = `needed more than ${row.against?.label ?? 'its own training'}: ${more.join('; ')}.`;
    notes.set(text, [...(notes.get(text) ?? []), row.label]);
  }
  return [...notes].map(([text, labels]) => `${formatList(labels)} ${text}`);
}

function moreOf({ cost }: ComparisonRow, base: ComparisonRow | undefined): string[] {
  const { teachers } = cost;
  const more: string[] = [];
  if (teachers) {
    const { steps, seconds } = teachers;
    const took = [
      ...(steps ? [`${stepsWords(steps.mean)} joint steps`] : []),
      ...(seconds ? [formatSeconds(seconds.mean)] : []),
    ];
    const training = took.length > 0 ? `took ${took.join(', ')}` : 'is in no folder that was found';
    const whose = teachers.modalities.length === 1 ? 'a teacher' : 'teachers';
    more.push(`${whose} of ${formatList(teachers.modalities)}, whose training ${training}`);
  }
  if (base && cost.epochs > base.cost.epochs)
    more.push(`${epochsWords(cost.epochs)} epochs (there ${epochsWords(base.cost.epochs)})`);
  const perEpoch = base && ratio(perEpochOf(cost), perEpochOf(base.cost));
  if (perEpoch !== undefined && perEpoch > ALIKE)
    more.push(`${timesWords(perEpoch)} the joint steps in an epoch`);
  return more;
}

/** A mean over seeds, of which some may have stopped earlier. */
const epochsWords = (epochs: number): string => String(Number(formatNumber(epochs)));

const perEpochOf = ({ steps, epochs }: ComparisonRow['cost']): number | undefined =>
  steps && epochs > 0 ? steps.mean / epochs : undefined;

const ratio = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined || b === 0 ? undefined : a / b;

/** Times of different machines say nothing about methods. */
function machineNotes(rows: readonly ComparisonRow[]): string[] {
  const machines = new Set(
    rows.flatMap(({ runs }) =>
      runs.flatMap(({ config: { environment = {} }, summary: { seconds } }) => {
        const { backend, device, host } = environment as Record<string, unknown>;
        const known = flatSettings({ backend, device, host });
        return seconds === undefined || known.size === 0 ? [] : [JSON.stringify([...known])];
      }),
    ),
  );
  if (machines.size < 2) return [];
  return [`Times are of ${machines.size} different machines or backends: they are not to be compared.`];
}
