import { scaleLinear } from 'd3-scale';
import { shortNumber, formatGain, formatPercent, withPercent } from '../format.js';
import { TEACHER_MEAN, wordsAmong } from '../methods.js';
import { resultsTable, teacherAccuracies, type ResultsRow } from '../results-table.js';
import type { MethodWords, RunGroup } from '../run.js';
import { headsOf, type Head } from './heads.js';
import { markup, type Markup } from './markup.js';

// Positions are percentages of the track's width, so that the picture fits every screen and text keeps its size.
const scale = (max: number): ((value: number) => string) => {
  const position = scaleLinear().domain([0, max]).range([0, 100]);
  return (value) => `${Math.round(position(value) * 100) / 100}%`;
};

/** Values of the ticks of a track that ends at `max`. */
const ticks = (max: number): number[] => [0, 0.25, 0.5, 0.75, 1].map((share) => share * max);

/** Heights of lanes in pixels. */
export const FUSED_HEIGHT = 26;
export const HEAD_HEIGHT = 19;

/**
 * The main picture: for each method the fused accuracy as a bar, and below it each modality's head as a thinner bar,
 * with a tick where that modality's teacher is and a pale band over what is missing.
 */
export function overview(group: RunGroup): Markup {
  const rows = resultsTable(group);
  const teachers = teacherAccuracies(group);
  const heads = headsOf(group.modalities);
  const mean = rows.find((row) => row.method === TEACHER_MEAN)?.fused;
  const shown = rows.filter((row) => row.kind !== 'teachers');
  return markup`<div class="overview" style="${nameWidth(group.modalities)}">
${legend(heads, mean)}
${shown.map((row) => method(row, wordsAmong(group.runs, row.method), { heads, teachers, mean }))}
<div class="method axis-row"><div></div><div class="lanes">${axisLane()}</div></div>
</div>`;
}

/** The numbers below the lanes. */
export function axisLane(max = 100, words = '% / teacher'): Markup {
  const at = scale(max);
  return markup`<div class="lane"><span class="lane-name"></span><svg class="track" width="100%" height="20" aria-hidden="true">${ticks(
    max,
  ).map(
    (tick) =>
      markup`<text class="tick" x="${at(tick)}" y="14" text-anchor="${tick === 0 ? 'start' : tick === max ? 'end' : 'middle'}">${shortNumber(tick, 3)}</text>`,
  )}</svg><span class="lane-value tick">${words}</span></div>`;
}

/** Width of the column of names, for the longest of them within reason; the rest is cut with an ellipsis. */
export function nameWidth(modalities: readonly string[]): string {
  const longest = Math.max(5, ...modalities.map((name) => name.length));
  return `--names: ${Math.min(longest, 14) * 0.5 + 0.7}rem`;
}

function legend(heads: readonly Head[], mean: number | undefined): Markup {
  const [fused, ...modalities] = heads as [Head, ...Head[]];
  return markup`<ul class="legend">
<li><svg class="${fused.color}" width="26" height="12" aria-hidden="true"><rect class="fill" y="1" width="26" height="10"/></svg>the whole model (fused)</li>
${modalities.map(
  (head) =>
    markup`<li><svg class="${head.color}" width="26" height="12" aria-hidden="true"><rect class="fill" y="3" width="15" height="6"/><rect class="missing" x="15" y="3" width="9" height="6"/><rect class="teacher" x="23" y="0" width="2.5" height="12"/></svg>its ${head.key} head; tick: the ${head.key} teacher, trained alone</li>`,
)}
${mean !== undefined && markup`<li><svg width="26" height="12" aria-hidden="true"><line class="mean" x1="13" x2="13" y1="0" y2="12"/></svg>mean of the teachers’ logits, ${withPercent(mean)}</li>`}
</ul>`;
}

function method(
  row: ResultsRow,
  { label, description }: MethodWords,
  {
    heads,
    teachers,
    mean,
  }: {
    readonly heads: readonly Head[];
    readonly teachers: Readonly<Record<string, number>>;
    readonly mean: number | undefined;
  },
): Markup {
  const [fused, ...modalities] = heads as [Head, ...Head[]];
  const isReference = row.kind === 'reference';
  return markup`<div class="method${isReference && ' reference'}">
<div class="method-head"><div><h3>${label}</h3><p>${description}</p></div><div class="score">${formatPercent(row.fused)}<span class="unit"> %</span>${
    row.gain !== undefined && markup`<small>${formatGain(row.gain)} vs joint</small>`
  }</div></div>
<div class="lanes" role="img" aria-label="${describe(row, teachers)}">
${
  row.fused !== undefined &&
  lane('fused', FUSED_HEIGHT, fused.color, isReference ? undefined : mean, {
    value: row.fused,
    thickness: 18,
    outlined: isReference,
    tooltip: `${label}, fused: ${withPercent(row.fused)}`,
  })
}${modalities.map((head) => {
    const value = row.perModality[head.key];
    if (value === undefined) return undefined;
    const teacher = teachers[head.key];
    return lane(head.key, HEAD_HEIGHT, head.color, mean, {
      value,
      teacher,
      thickness: 9,
      outlined: false,
      tooltip: `${label}, ${head.key} head: ${withPercent(value)}${
        teacher === undefined
          ? ''
          : `; ${head.key} teacher: ${withPercent(teacher)} (${formatGain(value - teacher)})`
      }`,
    });
  })}</div></div>`;
}

/** What stands in a lane. */
interface LaneContent {
  readonly value: number;
  readonly teacher?: number | undefined;
  readonly thickness: number;
  readonly outlined: boolean;
  readonly tooltip: string;
  /** Value at the right end of the track, default 100. */
  readonly max?: number;
}

/** One value as a bar, with a tick where its teacher is. */
export function lane(
  name: string,
  height: number,
  color: string,
  mean: number | undefined,
  content: LaneContent,
): Markup {
  const { value, teacher, thickness, outlined, tooltip, max = 100 } = content;
  const at = scale(max);
  const y = (height - thickness) / 2;
  return markup`<div class="lane"><span class="lane-name" title="${name}">${name}</span><svg class="track ${color}" width="100%" height="${height}"><title>${tooltip}</title>
${ticks(max).map((tick) => markup`<line class="grid" x1="${at(tick)}" x2="${at(tick)}" y1="0" y2="${height}"/>`)}
<rect class="${outlined ? 'outline' : 'fill'} bar" x="0" y="${y}" width="${at(value)}" height="${thickness}"/>
${
  teacher !== undefined &&
  teacher > value &&
  markup`<rect class="missing" x="${at(value)}" y="${y}" width="${at(teacher - value)}" height="${thickness}"/>`
}${mean !== undefined && markup`<line class="halo" x1="${at(mean)}" x2="${at(mean)}" y1="0" y2="${height}"/><line class="mean" x1="${at(mean)}" x2="${at(mean)}" y1="0" y2="${height}"/>`}${
    teacher !== undefined &&
    markup`<svg x="${at(teacher)}" y="0" width="4" height="${height}" overflow="visible"><rect class="teacher" x="-1.5" y="1" width="3" height="${height - 2}"/></svg>`
  }</svg><span class="lane-value"><b>${formatPercent(value)}</b>${teacher !== undefined && markup`<span> / ${formatPercent(teacher)}</span>`}</span></div>`;
}

function describe(row: ResultsRow, teachers: Readonly<Record<string, number>>): string {
  const parts = Object.entries(row.perModality).map(([modality, value]) => {
    const teacher = teachers[modality];
    return `${modality} head ${withPercent(value)}${teacher === undefined ? '' : ` (its teacher ${withPercent(teacher)})`}`;
  });
  return `${row.label}: ${[`fused ${withPercent(row.fused)}`, ...parts].join(', ')}`;
}
