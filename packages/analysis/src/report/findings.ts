import { formatCount, formatGain, formatList, withPercent, withPoints } from '../format.js';
import { TEACHER_MEAN } from '../methods.js';
import { resultsTable, teacherAccuracies, type ResultsRow } from '../results-table.js';
import type { RunGroup } from '../run.js';
import { pairedStandardError, standardError } from './comparison.js';

/** What the numbers say, in sentences. */
export interface Findings {
  readonly headline: string;
  /** Each stands on its own: what it is about, and what is to be said. */
  readonly points: readonly { readonly title: string; readonly text: string }[];
}

/** A head this far below its teacher is called undertrained. */
const NOTABLE_GAP = 5;

/**
 * The headline and the points below the main picture, made from the numbers alone.
 *
 * They say so where G2D does not lead, what the strong modality loses, and how large a difference may be by chance.
 */
export function findings(group: RunGroup): Findings {
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
      ...(shown && shown !== joint ? [price(group, shown, joint)] : []),
      ...reference(group, rows, shown),
      ...caution(group, best),
    ].filter((point) => point !== undefined),
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
  if (!g2d) {
    if (!joint || best === joint) return `${best.label} is right on ${percent(best)} of the test samples.`;
    return `${best.label} is right on ${percent(best)} of the test samples, ${versus(group, best, joint)}.`;
  }
  if (!joint && students.length === 1) return `G2D is right on ${percent(g2d)} of the test samples.`;
  const rival = largest(students.filter((row) => row !== g2d));
  const overJoint = joint ? `, ${versus(group, g2d, joint)}` : '';
  const opening = `G2D is right on ${percent(g2d)} of the test samples${overJoint}`;
  const equals = students.filter((row) => row !== g2d && row !== joint && row.fused === g2d.fused);
  if (rival?.fused === g2d.fused && equals.length > 0) {
    const who = formatList(equals.map(({ label }) => label));
    return `${opening}. It does not stand out here: ${who} ${equals.length === 1 ? 'is' : 'are'} equally good.`;
  }
  if (!rival || rival === joint) return `${opening}.`;
  const margin = difference(group, g2d, rival);
  if (margin.withinError) {
    return `${opening}. It does not stand out here: ${rival.label} reaches ${percent(rival)}, and a difference of ${withPoints(margin.points)} can be chance.`;
  }
  if (margin.points < 0) {
    return `${opening}. It is not the best here: ${rival.label} reaches ${percent(rival)}, ${withPoints(margin.points)} more.`;
  }
  return `${opening}. The next best, ${rival.label}, reaches ${percent(rival)}.`;
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

function imbalance(group: RunGroup, joint: ResultsRow): Findings['points'] {
  const gaps = gapsToTeachers(group, joint);
  const worst = gaps[0];
  if (!worst) return [];
  if (worst.gap < NOTABLE_GAP) {
    return [
      {
        title: 'Little imbalance in joint training',
        text: `No modality’s head ends more than ${withPoints(Math.max(0.1, Math.ceil(worst.gap * 10) / 10))} below its teacher.`,
      },
    ];
  }
  const strongest = largestOf(joint.perModality);
  const gain =
    strongest !== undefined && strongest !== worst.modality ? teacherAccuracies(group)[strongest] : undefined;
  const addsNothing =
    gain !== undefined && joint.fused !== undefined && joint.fused - gain < 2
      ? ` All together it is right on ${percent(joint)}; the ${strongest} teacher alone reaches ${withPercent(gain)}.`
      : '';
  return [
    {
      title: `Joint training neglects ${worst.modality}`,
      text: `Its ${worst.modality} head ends at ${withPercent(worst.head)}. The same kind of model trained on ${worst.modality} alone reaches ${withPercent(worst.teacher)}: ${withPoints(worst.gap)} are left unused.${addsNothing}`,
    },
  ];
}

function price(group: RunGroup, row: ResultsRow, joint: ResultsRow | undefined) {
  const below = gapsToTeachers(group, row).filter(({ gap }) => gap >= NOTABLE_GAP);
  if (below.length === 0) {
    return {
      title: `What ${row.label} costs`,
      text: `No modality’s head ends more than ${NOTABLE_GAP} points below its teacher.`,
    };
  }
  const gaps = below.map(
    ({ modality, head, teacher, gap }) =>
      `${modality} ends at ${withPercent(head)}, ${withPoints(gap)} below its teacher (${withPercent(teacher)})`,
  );
  const losses = Object.entries(row.perModality).flatMap(([modality, head]) => {
    const before = joint?.perModality[modality];
    return before !== undefined && before - head >= 2 ? [`${withPoints(before - head)} of ${modality}`] : [];
  });
  const outcome =
    (row.gain ?? 0) > 0 ? 'it is the fused answer that gains' : 'the fused answer does not gain';
  const cost =
    losses.length === 0
      ? ''
      : ` Against joint training it gives up ${formatList(losses)}: lifting one modality costs another, and ${outcome}.`;
  return {
    title: `What ${row.label} costs`,
    text: `Its heads are not as good as the teachers: ${formatList(gaps)}.${cost}`,
  };
}

function reference(
  group: RunGroup,
  rows: readonly ResultsRow[],
  shown: ResultsRow | undefined,
): Findings['points'] {
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
  return [
    {
      title: 'The bar to clear: no joint training at all',
      text: `Averaging the logits of the teachers, each trained on its own, already gives ${percent(mean)}. ${verdict}.${others}`,
    },
  ];
}

function caution(group: RunGroup, best: ResultsRow | undefined): Findings['points'] {
  const samples = testSize(group);
  if (samples === undefined || best?.fused === undefined) return [];
  return [
    {
      title: 'How sure is this?',
      text: `One seed (${group.summary.seed}), ${formatCount(samples)} test samples: an accuracy near ${percent(best)} has a sampling error of ±${standardError(best.fused, samples).toFixed(1)}\u00a0points (one standard error). What another seed would change comes on top and is not measured here.`,
    },
  ];
}

/** Number of test samples, where a run says so. */
export function testSize(group: RunGroup): number | undefined {
  const run = group.runs.find((one) => one.config.kind === 'student') ?? group.runs[0];
  return run?.predictions && run.predictions.ids.length > 0 ? run.predictions.ids.length : undefined;
}

interface Difference {
  readonly points: number;
  /** Less than two standard errors: on this test set it can be chance. */
  readonly withinError: boolean;
}

function difference(group: RunGroup, a: ResultsRow, b: ResultsRow): Difference {
  const points = (a.fused ?? 0) - (b.fused ?? 0);
  const runOf = (row: ResultsRow) =>
    group.runs.find((run) => run.config.kind === 'student' && run.name === row.method);
  const [first, second] = [runOf(a), runOf(b)];
  const samples = testSize(group);
  const error =
    (first && second && pairedStandardError(first, second)) ??
    (samples === undefined
      ? 0
      : Math.hypot(standardError(a.fused ?? 0, samples), standardError(b.fused ?? 0, samples)));
  return { points, withinError: Math.abs(points) < 2 * error || Math.abs(points) < 0.05 };
}

function gapsToTeachers(group: RunGroup, row: ResultsRow) {
  return Object.entries(teacherAccuracies(group))
    .flatMap(([modality, teacher]) => {
      const head = row.perModality[modality];
      return head === undefined ? [] : [{ modality, head, teacher, gap: teacher - head }];
    })
    .sort((a, b) => b.gap - a.gap);
}

const percent = (row: ResultsRow): string => `${withPercent(row.fused)}`;

function largest(rows: readonly ResultsRow[]): ResultsRow | undefined {
  return [...rows].sort((a, b) => (b.fused ?? 0) - (a.fused ?? 0))[0];
}

function largestOf(values: Readonly<Record<string, number>>): string | undefined {
  return Object.entries(values).sort((a, b) => b[1] - a[1])[0]?.[0];
}
