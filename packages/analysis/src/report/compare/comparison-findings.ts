import type { ComparisonRow, ComparisonTable } from '../../compare/compare-runs.js';
import { formatGain, formatList, withPercent, withPoints } from '../../format.js';
import type { Findings } from '../findings.js';
import { rowDifference } from './differences.js';

/** A head this far below another is worth a sentence, in points. */
const NOTABLE = 2;

/** Neighbours named in one sentence, the best ones. */
const MOST_NAMED = 5;

/** What a table says, in sentences made from its numbers. */
export function comparisonFindings(table: ComparisonTable, level: number): Findings {
  const rows = table.rows.filter((row) => row.test[row.main] !== undefined);
  const best = rows.at(-1);
  return {
    headline: headline(table, rows),
    points: [
      ...(best ? overJoint(table, best) : []),
      ...notApart(rows),
      ...(best ? beyondTeachers(table, best) : []),
      ...(best ? cost(table, rows, best) : []),
      ...certainty(table, rows, level),
    ],
  };
}

function headline(table: ComparisonTable, rows: readonly ComparisonRow[]): string {
  const [best, next] = [rows.at(-1), rows.at(-2)];
  if (!best) return 'There are only teachers here: each modality alone.';
  const seeds = best.seeds.length === 1 ? 'with one seed' : `on average over ${best.seeds.length} seeds`;
  const opening =
    table.task === 'regression'
      ? `${best.label} is ${score(best)} off on the test part (MAPE) ${seeds}`
      : `${best.label} is right on ${score(best)} of the test samples ${seeds}`;
  const selected = rows.some(({ select }) => select === 'test-best')
    ? ' Part of these numbers were selected on the test part.'
    : '';
  if (!next) return `${opening}.${selected}`;
  const verdict = comparedWith(best, next);
  return `${opening}. ${verdict}${selected}`;
}

function comparedWith(best: ComparisonRow, next: ComparisonRow): string {
  const difference = rowDifference(best, next);
  if (difference?.withinNoise === false) return `The next best, ${next.label}, reaches ${score(next)}.`;
  const points = withPoints(difference?.points ?? 0);
  return difference?.withinNoise === true
    ? `It is not told apart from ${next.label} (${score(next)}): a difference of ${points} can be chance.`
    : `The next best, ${next.label}, reaches ${score(next)}; whether ${points} are more than chance cannot be said from one run.`;
}

function overJoint({ task }: ComparisonTable, best: ComparisonRow): Findings['points'] {
  const { gain } = best;
  if (!gain) return [];
  const direction = task === 'regression' ? 'less error' : 'gained';
  const { better, of } = gain.wins;
  const seeds =
    of < 2
      ? ''
      : ` ${best.label} is the better one in ${better === of ? 'all' : better} of the ${of} seeds that both have.`;
  const text =
    gain.mean > 0
      ? `Over ${gain.over}: ${withPoints(gain.mean)} ${direction}.${seeds}`
      : `Even the best row gains nothing over ${gain.over} (${formatGain(gain.mean)}\u00a0points).${seeds}`;
  return [{ title: 'Against joint training', text }];
}

function notApart(rows: readonly ComparisonRow[]): Findings['points'] {
  const neighbours = rows.slice(1).flatMap((row, index) => {
    const other = rows[index] as ComparisonRow;
    const difference = rowDifference(row, other);
    return difference ? [{ row, other, ...difference }] : [];
  });
  if (neighbours.length === 0) return [];
  const words = (list: typeof neighbours): string => {
    const named = list.map(
      ({ row, other, points }) => `${other.label} and ${row.label} (${withPoints(points)})`,
    );
    const more = named.length - MOST_NAMED;
    return [...named.slice(-MOST_NAMED), ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
  };
  const within = neighbours.filter(({ withinNoise }) => withinNoise === true);
  const unknown = neighbours.filter(({ withinNoise }) => withinNoise === undefined);
  const bySamples = neighbours.some(({ by }) => by === 'samples');
  const text = [
    within.length > 0
      ? `The order of these neighbours can be chance: ${words(within)}.`
      : unknown.length < neighbours.length
        ? 'Every row is told apart from the next one.'
        : '',
    unknown.length > 0 ? `With so few runs nothing says how large chance is for ${words(unknown)}.` : '',
    bySamples && unknown.length < neighbours.length
      ? 'Where a row has one seed only, chance means the test samples; what another seed would change is not in it.'
      : '',
  ];
  return [{ title: 'Within noise', text: text.filter((part) => part !== '').join(' ') }];
}

function beyondTeachers({ task, teachers }: ComparisonTable, best: ComparisonRow): Findings['points'] {
  const sign = task === 'regression' ? -1 : 1;
  const value = (row: ComparisonRow): number => sign * (row.test[row.main]?.mean ?? -sign * Infinity);
  const teacher = [...teachers].sort((a, b) => value(b) - value(a))[0];
  const difference = teacher && rowDifference(best, teacher);
  if (!teacher || !difference) return [];
  const isAhead = sign * difference.points > 0;
  const close = difference.withinNoise === true ? ', which can be chance' : '';
  const text = isAhead
    ? `The best of them, ${teacher.label}, reaches ${score(teacher)}: ${best.label} is ${withPoints(difference.points)} ahead of it${close}.`
    : `The best of them, ${teacher.label}, reaches ${score(teacher)}: no joint model here is better${close}.`;
  return [{ title: 'Against the teachers, each alone', text }];
}

function cost(
  { task, modalities }: ComparisonTable,
  rows: readonly ComparisonRow[],
  best: ComparisonRow,
): Findings['points'] {
  const joint = rows.find(({ label }) => label === best.gain?.over);
  if (!joint) return [];
  const sign = task === 'regression' ? -1 : 1;
  const losses = modalities.flatMap((modality) => {
    const [own, before] = [best.test[modality], joint.test[modality]];
    const loss = own && before ? sign * (before.mean - own.mean) : 0;
    return loss >= NOTABLE ? [`${withPoints(loss)} of ${modality}`] : [];
  });
  if (losses.length === 0) return [];
  return [
    {
      title: `What ${best.label} costs`,
      text: `Against ${joint.label} it gives up ${formatList(losses)}: ${losses.length === 1 ? 'that head alone is' : 'those heads alone are'} worse than there.`,
    },
  ];
}

function certainty(
  table: ComparisonTable,
  rows: readonly ComparisonRow[],
  level: number,
): Findings['points'] {
  const most = Math.max(0, ...rows.map(({ seeds }) => seeds.length));
  if (most < 2) return [];
  const percent = Number((100 * level).toFixed(1));
  const few = most < 6 ? ` With ${most} seeds they are too narrow rather than too wide.` : '';
  return [
    {
      title: 'How sure is this?',
      text: `Intervals are ${percent}\u00a0% bootstrap intervals of the mean over seeds.${few} The test samples are the same for all seeds; what other samples would change is not in them.`,
    },
  ];
}

const score = (row: ComparisonRow): string => withPercent(row.test[row.main]?.mean);
