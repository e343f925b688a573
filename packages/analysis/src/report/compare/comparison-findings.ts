import type { ComparisonRow, ComparisonTable } from '../../compare/comparison.js';
import { isEqual } from '../../compare/equal.js';
import { formatGain, formatList, withPercent, withPoints } from '../../format.js';
import type { Findings } from '../findings.js';
import { placed, type Placed } from './best-rows.js';
import { rowDifference } from './differences.js';

/** A head this far below another is worth a sentence, in points. */
const NOTABLE = 2;

/** Neighbours named in one sentence, the best ones. */
const MOST_NAMED = 5;

/** What a table says, in sentences made from its numbers. */
export function comparisonFindings(table: ComparisonTable, level: number): Findings {
  const rows = table.rows.filter((row) => row.test[row.main] !== undefined);
  const places = placed(rows);
  return {
    headline: headline(table, rows, places),
    points: [
      ...(places ? overJoint(table, places) : []),
      ...notApart(rows),
      ...(places ? beyondTeachers(table, places) : []),
      ...(places ? cost(table, rows, places) : []),
      ...certainty(table, rows, level),
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
    ? ' Part of these numbers were selected on the test part.'
    : '';
  const verdict = next ? ` ${comparedWith(best, next)}` : '';
  return `${opening(table, best, rows.length)}.${verdict}${selected}`;
}

function opening({ task }: ComparisonTable, best: Placed['best'], of: number): string {
  const [first] = best;
  const seeds = seedsOf(best);
  const isOne = best.length === 1;
  const what =
    task === 'regression'
      ? `${score(first)} off on the test part (MAPE) ${seeds}`
      : `right on ${score(first)} of the test samples ${seeds}`;
  if (isOne) return `${first.label} is ${what}`;
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
  if (differences.every((one) => one?.withinNoise === false))
    return `The next best, ${next.label}, reaches ${score(next)}.`;
  const points = withPoints(differences[0]?.points ?? 0);
  if (!differences.some((one) => one?.withinNoise === true))
    return `The next best, ${next.label}, reaches ${score(next)}; whether ${points} are more than chance cannot be said from one run.`;
  const isAll = differences.every((one) => one?.withinNoise === true);
  const subject = best.length === 1 ? 'It is' : isAll ? 'They are' : 'Not all of them are';
  const apart = isAll ? 'not told apart' : 'told apart';
  return `${subject} ${apart} from ${next.label} (${score(next)}): a difference of ${points} can be chance.`;
}

function overJoint({ task }: ComparisonTable, { best }: Placed): Findings['points'] {
  const direction = task === 'regression' ? 'less error' : 'gained';
  // Equal rows gain the same over the same joint training.
  const overs = [...new Map(best.flatMap(({ gain }) => (gain ? [[gain.over, gain] as const] : []))).values()];
  if (overs.length === 0) return [];
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
  return [{ title: 'Against joint training', text: text.join(' ') }];
}

function notApart(rows: readonly ComparisonRow[]): Findings['points'] {
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
  return [{ title: 'Within noise', text: text.filter((part) => part !== '').join(' ') }];
}

function beyondTeachers({ task, teachers }: ComparisonTable, { best }: Placed): Findings['points'] {
  const sign = task === 'regression' ? -1 : 1;
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
  return [{ title: 'Against the teachers, each alone', text }];
}

function cost(
  { task, modalities }: ComparisonTable,
  rows: readonly ComparisonRow[],
  { best }: Placed,
): Findings['points'] {
  const sign = task === 'regression' ? -1 : 1;
  const costs = best.flatMap((row) => {
    const joint = rows.find(({ label }) => label === row.gain?.over);
    const losses = modalities.flatMap((modality) => {
      const [own, before] = [row.test[modality], joint?.test[modality]];
      const loss = own && before ? sign * (before.mean - own.mean) : 0;
      return loss >= NOTABLE ? [`${withPoints(loss)} of ${modality}`] : [];
    });
    return joint && losses.length > 0 ? [{ row, joint, losses }] : [];
  });
  const [first] = costs;
  if (!first) return [];
  const heads = costs.reduce((sum, { losses }) => sum + losses.length, 0);
  const worse = heads === 1 ? 'that head alone is' : 'those heads alone are';
  if (best.length === 1)
    return [
      {
        title: `What ${first.row.label} costs`,
        text: `Against ${first.joint.label} it gives up ${formatList(first.losses)}: ${worse} worse than there.`,
      },
    ];
  const each = costs.map(
    ({ row, joint, losses }) => `${row.label} gives up ${formatList(losses)} against ${joint.label}`,
  );
  return [{ title: 'What the best rows cost', text: `${each.join('; ')}: ${worse} worse than there.` }];
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
