import { formatGain, formatList, withPercent, withPoints } from '../../format.js';
import { TEACHER_MEAN } from '../../methods.js';
import { resultsTable, teacherAccuracies, type ResultsRow } from '../../results-table.js';
import type { RunGroup } from '../../run.js';
import { differenceError, type Measured } from '../comparison.js';
import {
  canBeChance,
  fromTeacher,
  gapsToTeachers,
  givesUp,
  isHowGood,
  losses,
  nextBest,
  NOTABLE_GAP,
  point,
  samplingError,
  type Findings,
  type Point,
} from '../findings.js';

/**
 * The headline and the points below the main picture, made from the numbers alone.
 *
 * They say so where G2D does not lead, what the strong modality loses, and how large a difference may be by chance.
 */
export function groupFindings(group: RunGroup): Findings {
  const rows = resultsTable(group);
  const students = rows.filter((row) => row.kind === 'student' && row.fused !== undefined);
  const joint = students.find((row) => row.method === 'joint');
  const g2d = students.find((row) => row.method === 'g2d');
  const best = largest(students);
  const shown = g2d ?? best;
  return {
    headline: headline(group, students, joint, g2d) + teachersDoBetter(group, rows, shown),
    points: [
      ...(joint ? imbalance(group, joint) : []),
      ...(shown && shown !== joint ? price(group, shown, joint) : []),
      ...reference(group, rows, shown),
      ...samplingError(group.summary.seed, testSize(group), best?.fused),
    ],
  };
}

function headline(
  group: RunGroup,
  students: readonly ResultsRow[],
  joint: ResultsRow | undefined,
  g2d: ResultsRow | undefined,
): string {
  const best = largest(students);
  if (!best) return 'This folder has no finished student yet: only the teachers can be shown.';
  const shown = g2d ?? best;
  const overJoint = joint && shown !== joint ? `, ${versus(group, shown, joint)}` : '';
  const opening = `${g2d ? 'G2D' : best.label} is ${isHowGood(shown.fused, 'classification')}${overJoint}`;
  if (!g2d) return `${opening}.`;
  const rival = largest(students.filter((row) => row !== g2d));
  const equals = students.filter((row) => row !== g2d && row !== joint && row.fused === g2d.fused);
  if (rival?.fused === g2d.fused && equals.length > 0) {
    const who = formatList(equals.map(({ label }) => label));
    return `${opening}. It does not stand out here: ${who} ${equals.length === 1 ? 'is' : 'are'} equally good.`;
  }
  if (!rival || rival === joint) return `${opening}.`;
  const margin = difference(group, g2d, rival);
  const reached = `${rival.label} reaches ${percent(rival)}`;
  if (margin.withinError)
    return `${opening}. It does not stand out here: ${reached}, and ${canBeChance(margin.points)}.`;
  if (margin.points < 0)
    return `${opening}. It is not the best here: ${reached}, ${withPoints(margin.points)} more.`;
  return `${opening}. ${nextBest(rival.label, rival.fused)}`;
}

/** What has to stand beside the headline where training jointly is not worth it. */
function teachersDoBetter(
  group: RunGroup,
  rows: readonly ResultsRow[],
  shown: ResultsRow | undefined,
): string {
  const mean = rows.find((row) => row.method === TEACHER_MEAN);
  if (mean?.fused === undefined || shown?.fused === undefined) return '';
  const { points, withinError } = difference(group, shown, mean);
  if (points >= 0 || withinError) return '';
  return ` Averaging the teachers, without any joint training, does better: ${percent(mean)}.`;
}

function versus(group: RunGroup, row: ResultsRow, joint: ResultsRow): string {
  const { points, withinError } = difference(group, row, joint);
  if (points === 0) return 'as many as with joint training';
  if (withinError)
    return `no clear difference from joint training (${percent(joint)}; ${formatGain(points)}\u00a0points can be chance)`;
  const direction = points > 0 ? 'more' : 'fewer';
  return `${withPoints(points)} ${direction} than joint training (${percent(joint)})`;
}

function imbalance(group: RunGroup, joint: ResultsRow): Point[] {
  const teachers = teacherAccuracies(group);
  const [worst] = gapsToTeachers(joint.perModality, teachers);
  if (!worst) return [];
  if (worst.gap < NOTABLE_GAP) {
    const most = Math.max(0.1, Math.ceil(worst.gap * 10) / 10);
    return point('Little imbalance in joint training', noHeadFar(withPoints(most)));
  }
  const [strongest = ''] = Object.entries(joint.perModality).sort((a, b) => b[1] - a[1])[0] ?? [];
  const gain = strongest === worst.modality ? undefined : teachers[strongest];
  const addsNothing =
    gain !== undefined && joint.fused !== undefined && joint.fused - gain < 2
      ? ` All together it is right on ${percent(joint)}; the ${strongest} teacher alone reaches ${withPercent(gain)}.`
      : '';
  const text = `Its ${worst.modality} head ends at ${withPercent(worst.head)}. The same kind of model trained on ${worst.modality} alone reaches ${withPercent(worst.teacher)}: ${withPoints(worst.gap)} are left unused.${addsNothing}`;
  return point(`Joint training neglects ${worst.modality}`, text);
}

function price(group: RunGroup, row: ResultsRow, joint: ResultsRow | undefined): Point[] {
  const title = `What ${row.label} costs`;
  const below = gapsToTeachers(row.perModality, teacherAccuracies(group)).filter(
    ({ gap }) => gap >= NOTABLE_GAP,
  );
  if (below.length === 0) return point(title, noHeadFar(`${NOTABLE_GAP} points`));
  const gaps = below.map(
    (gap) => `${gap.modality} ends at ${withPercent(gap.head)}, ${fromTeacher(gap, 'below')}`,
  );
  const lost = losses(joint?.perModality ?? {}, row.perModality);
  const outcome =
    (row.gain ?? 0) > 0 ? 'it is the fused answer that gains' : 'the fused answer does not gain';
  const paid = `${givesUp('Against joint training it', lost)}: lifting one modality costs another, and ${outcome}.`;
  const text = `Its heads are not as good as the teachers: ${formatList(gaps)}.${lost.length === 0 ? '' : ` ${paid}`}`;
  return point(title, text);
}

function reference(group: RunGroup, rows: readonly ResultsRow[], shown: ResultsRow | undefined): Point[] {
  const mean = rows.find((row) => row.method === TEACHER_MEAN);
  if (mean?.fused === undefined || shown?.fused === undefined) return [];
  const { points, withinError } = difference(group, shown, mean);
  const verdict = withinError
    ? `${shown.label} is not clearly different from that (${formatGain(points)}\u00a0points)`
    : `${shown.label} is ${withPoints(points)} ${points > 0 ? 'above' : 'below'} that`;
  const below = rows.filter(
    (row) => row.kind === 'student' && row !== shown && (row.fused ?? 0) < (mean.fused ?? 0),
  );
  const others =
    below.length > 0
      ? ` Of the other methods, ${formatList(below.map((row) => row.label))} ${below.length > 1 ? 'stay' : 'stays'} below it.`
      : '';
  const text = `Averaging the logits of the teachers, each trained on its own, already gives ${percent(mean)}. ${verdict}.${others}`;
  return point('The bar to clear: no joint training at all', text);
}

/** Number of test samples, where a run says so. */
export function testSize({ runs }: RunGroup): number | undefined {
  const run = runs.find(({ config }) => config.kind === 'student') ?? runs[0];
  return run?.predictions && run.predictions.ids.length > 0 ? run.predictions.ids.length : undefined;
}

/** In points, and whether it is less than two standard errors: on this test set it can be chance. */
function difference(group: RunGroup, a: ResultsRow, b: ResultsRow) {
  const points = (a.fused ?? 0) - (b.fused ?? 0);
  const samples = testSize(group);
  const measured = ({ method, fused = 0 }: ResultsRow): Measured => {
    const run = group.runs.find(({ config, name }) => config.kind === 'student' && name === method);
    return { run, value: fused, samples };
  };
  const error = differenceError(measured(a), measured(b)) ?? 0;
  return { points, withinError: Math.abs(points) < 2 * error || Math.abs(points) < 0.05 };
}

const noHeadFar = (points: string): string =>
  `No modality’s head ends more than ${points} below its teacher.`;

const percent = (row: ResultsRow): string => withPercent(row.fused);

function largest(rows: readonly ResultsRow[]): ResultsRow | undefined {
  return [...rows].sort((a, b) => (b.fused ?? 0) - (a.fused ?? 0))[0];
}
