import type { ComparisonRow, ComparisonTable } from '../../compare/comparison.js';
import { isEqual } from '../../compare/equal.js';
import { formatGain, formatList, withPercent, withPoints } from '../../format.js';
import { SCORES } from '../../score-words.js';
import {
  canBeChance,
  givesUp,
  isHowGood,
  losses,
  nextBest,
  point,
  seedsError,
  signOf,
  type Findings,
  type Point,
} from '../findings.js';
import { placed, type Placed } from './best-rows.js';
import { rowDifference } from './differences.js';

/** Neighbours named in one sentence, the best ones. */
const MOST_NAMED = 5;

/** What a table says, in sentences made from its numbers. */
export function comparisonFindings(table: ComparisonTable, level: number): Findings {
  const rows = table.rows.filter((row) => row.test[row.main] !== undefined);
  const places = placed(rows);
  return {
    headline: headline(table, rows, places),
    points: [
      ...(places ? overJoint(table, rows, places) : []),
      ...notApart(rows),
      ...(places ? [...beyondTeachers(table, places), ...cost(table, rows, places)] : []),
      ...seedsError(
        rows.map(({ seeds }) => seeds.length),
        level,
      ),
    ],
  };
}

function headline(
  table: ComparisonTable,
  rows: readonly ComparisonRow[],
  places: Placed | undefined,
): string {
  if (!places) return 'There are only teachers here: each modality alone.';
  const { best, next } = places;
  const selected = rows.some(({ select }) => select === 'test-best')
    ? ' Part of these numbers were selected on the test split.'
    : '';
  const verdict = next ? ` ${comparedWith(best, next)}` : '';
  return `${opening(table, best, rows.length)}.${verdict}${selected}`;
}

function opening({ task }: ComparisonTable, best: Placed['best'], of: number): string {
  const [first] = best;
  const value = first.test[first.main]?.mean;
  const what = isHowGood(value, task, { seeds: seedsOf(best) });
  if (best.length === 1) return `${first.label} is ${what}`;
  const who =
    best.length === of ? `All ${of} rows are equal` : `${best.length} of ${of} rows are equally good`;
  return best.length > MOST_NAMED
    ? `${who}: each is ${what}`
    : `${who}: ${formatList(best.map(({ label }) => label))} are each ${what}`;
}

function seedsOf(rows: readonly ComparisonRow[]): string {
  const counts = rows.map(({ seeds }) => seeds.length);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  if (most === 1) return 'with one seed';
  return least === most ? `on average over ${most} seeds` : `on average over ${least} to ${most} seeds`;
}

function comparedWith(best: Placed['best'], next: ComparisonRow): string {
  const differences = best.map((row) => rowDifference(row, next));
  const value = next.test[next.main]?.mean;
  if (differences.every((one) => one?.withinNoise === false)) return nextBest(next.label, value);
  const points = differences[0]?.points ?? 0;
  if (!differences.some((one) => one?.withinNoise === true)) {
    const unknown = `; whether ${withPoints(points)} are more than chance cannot be said from one run`;
    return nextBest(next.label, value, unknown);
  }
  const isAll = differences.every((one) => one?.withinNoise === true);
  const subject = best.length === 1 ? 'It is' : isAll ? 'They are' : 'Not all of them are';
  const apart = isAll ? 'not told apart' : 'told apart';
  return `${subject} ${apart} from ${next.label} (${score(next)}): ${canBeChance(points)}.`;
}

function overJoint({ task }: ComparisonTable, rows: readonly ComparisonRow[], { best }: Placed): Point[] {
  const direction = SCORES[task].isError ? 'less error' : 'gained';
  // Equal rows gain the same over the same joint training.
  const overs = [...new Map(best.flatMap(({ gain }) => (gain ? [[gain.over, gain] as const] : []))).values()];
  const behind = worseThanJoint(rows);
  // Joint training is the best.
  if (overs.length === 0)
    return behind.length === 0
      ? []
      : point('Against joint training', ['No row gains anything over it.', ...behind].join(' '));
  const [only] = best.length === 1 ? best : [];
  const text = overs.map((gain) => {
    const { better, of } = gain.wins;
    const seeds =
      only === undefined || of < 2
        ? ''
        : ` ${only.label} is the better one in ${better === of ? 'all' : better} of the ${of} seeds that both have.`;
    if (!isEqual(gain.mean, 0) && gain.mean > 0)
      return `Over ${gain.over}: ${withPoints(gain.mean)} ${direction}${only ? '' : ` by each of the ${best.length} best`}.${seeds}`;
    if (best.some(({ label }) => label === gain.over))
      return `${gain.over} is one of the best itself: no row gains anything over it.`;
    return `Even the best ${only ? 'row gains' : 'rows gain'} nothing over ${gain.over} (${formatGain(gain.mean)}\u00a0points).${seeds}`;
  });
  return point('Against joint training', [...text, ...behind].join(' '));
}

/** The methods that did not even reach joint training, the worst first: the best row's gain says nothing of them. */
function worseThanJoint(rows: readonly ComparisonRow[]): string[] {
  const worse = rows.flatMap(({ label, gain }) =>
    gain && gain.mean < 0 && !isEqual(gain.mean, 0) ? [`${label} (${withPoints(-gain.mean)})`] : [],
  );
  if (worse.length === 0) return [];
  const more = worse.length - MOST_NAMED;
  return [
    `Behind it: ${formatList([...worse.slice(0, MOST_NAMED), ...(more > 0 ? [`${more} more`] : [])])}.`,
  ];
}

function notApart(rows: readonly ComparisonRow[]): Point[] {
  const neighbours = rows.slice(1).flatMap((row, index) => {
    const other = rows[index] as ComparisonRow;
    const difference = rowDifference(row, other);
    // Rows that are equal have no order that could be chance.
    return difference && !isEqual(difference.points, 0) ? [{ row, other, ...difference }] : [];
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
        ? neighbours.length === rows.length - 1
          ? 'Every row is told apart from the next one.'
          : 'Rows that are not equal are told apart from the next one.'
        : '',
    unknown.length > 0 ? `With so few runs nothing says how large chance is for ${words(unknown)}.` : '',
    bySamples && unknown.length < neighbours.length
      ? 'Where a row has one seed only, chance means the test samples; what another seed would change is not in it.'
      : '',
  ];
  return point('Within noise', text.filter((part) => part !== '').join(' '));
}

function beyondTeachers({ task, teachers }: ComparisonTable, { best }: Placed): Point[] {
  const sign = signOf(SCORES[task].isError);
  const value = (row: ComparisonRow): number => sign * (row.test[row.main]?.mean ?? -sign * Infinity);
  const teacher = [...teachers].sort((a, b) => value(b) - value(a))[0];
  const differences = best.flatMap((row) => (teacher && rowDifference(row, teacher)) ?? []);
  const [difference] = differences;
  if (!teacher || !difference) return [];
  const close = differences.some(({ withinNoise }) => withinNoise === true) ? ', which can be chance' : '';
  const who = best.length === 1 ? `${best[0].label} is` : `each of the ${best.length} best rows is`;
  const outcome = isEqual(difference.points, 0)
    ? 'no joint model here is better, the best are equal to it'
    : sign * difference.points > 0
      ? `${who} ${withPoints(difference.points)} ahead of it${close}`
      : `no joint model here is better${close}`;
  const text = `The best of them, ${teacher.label}, reaches ${score(teacher)}: ${outcome}.`;
  return point('Against the teachers, each alone', text);
}

function cost(
  { task, modalities }: ComparisonTable,
  rows: readonly ComparisonRow[],
  { best }: Placed,
): Point[] {
  const heads = ({ test }: ComparisonRow): Record<string, number> =>
    Object.fromEntries(modalities.flatMap((name) => (test[name] ? [[name, test[name].mean]] : [])));
  const costs = best.flatMap((row) => {
    const joint = rows.find(({ label }) => label === row.gain?.over);
    const lost = joint ? losses(heads(joint), heads(row), SCORES[task].isError) : [];
    return joint && lost.length > 0 ? [{ row, joint, lost }] : [];
  });
  const [first] = costs;
  if (!first) return [];
  const count = costs.reduce((sum, { lost }) => sum + lost.length, 0);
  const isOne = best.length === 1;
  const text = isOne
    ? givesUp(`Against ${first.joint.label} it`, first.lost)
    : costs.map(({ row, joint, lost }) => `${givesUp(row.label, lost)} against ${joint.label}`).join('; ');
  const worse = count === 1 ? 'that head alone is' : 'those heads alone are';
  const title = `What ${isOne ? `${first.row.label} costs` : 'the best rows cost'}`;
  return point(title, `${text}: ${worse} worse than there.`);
}

const score = (row: ComparisonRow): string => withPercent(row.test[row.main]?.mean);
