import { scaleLinear } from 'd3-scale';
import { formatInterval, withDeviation } from '../../compare/cells.js';
import type { ComparisonRow, ComparisonTable } from '../../compare/comparison.js';
import type { Estimate } from '../../compare/estimate.js';
import { SCORES } from '../../score-words.js';
import { markup, type Markup } from '../markup.js';
import { mark, swatch } from './mark.js';
import { PLAIN, rowStyles, type RowStyle } from './row-style.js';

const HEIGHT = 20;

/**
 * Every head of every row as a dot on one common axis, with the interval over seeds and a small dot for each seed.
 *
 * Dots need no zero, so the axis covers the values and the intervals. An interval of few seeds that is much wider than all values are
 * apart goes on beyond the edge, or the dots could not be told apart.
 */
export function dotChart(table: ComparisonTable): Markup {
  const heads = ['fused', ...table.modalities];
  const rows = [...table.rows, ...table.teachers];
  const values = rows.flatMap(({ test }) => Object.values(test).flatMap((one) => one.values));
  const ends = rows.flatMap(({ test }) =>
    Object.values(test).flatMap(({ interval }) => (interval ? [interval.lower, interval.upper] : [])),
  );
  const rounded = scaleLinear().domain(domainOf(values, ends)).nice(4).domain();
  // An accuracy or F1 is at most 100, whatever a round number above it would be.
  const most = SCORES[table.task].isError ? Infinity : 100;
  const scale = scaleLinear()
    .domain(rounded.map((end) => Math.min(end, most)))
    .range([0, 100]);
  const styles = rowStyles(table);
  const ticks = scale.ticks(4);
  // Only these are named: the values stand beside the dots.
  const named = scale.domain();
  const hasSpread = rows.some(({ seeds }) => seeds.length > 1);
  const clamped = scale.clamp(true);
  const at = (value: number): string => `${Math.round(clamped(value) * 100) / 100}%`;
  return markup`<div class="dots" style="--heads: ${heads.length}; --value: ${hasSpread ? '5.8rem' : '2.6rem'}">
<div class="dots-row"><span class="label"></span>${heads.map((head) => markup`<div class="dot-cell"><b>${head}</b><span></span></div>`)}</div>
${rows.map((row) => rowMarkup(row, heads, at, ticks, styles.get(row)))}
<div class="dots-row"><span class="label"></span>${heads.map(
    (head, index) =>
      markup`<div class="dot-cell axis-cell${index > 0 && ' empty'}"><span class="dot-head"></span><svg class="track" width="100%" height="${HEIGHT}" aria-hidden="true">${named.map((tick, side) => markup`<text class="tick" x="${at(tick)}" y="13" text-anchor="${side === 0 ? 'start' : 'end'}">${tick}</text>`)}</svg><span class="dot-value">%</span></div>`,
  )}</div>
</div>`;
}

function rowMarkup(
  row: ComparisonRow,
  heads: readonly string[],
  at: (value: number) => string,
  ticks: readonly number[],
  style: RowStyle = PLAIN,
): Markup {
  return markup`<div class="dots-row ${style.color}"><h3>${swatch(style.shape)}${row.label}</h3>${heads.map(
    (head) => {
      const value = row.test[head];
      if (!value) return markup`<div class="dot-cell empty"></div>`;
      return markup`<div class="dot-cell"><span class="dot-head" title="${head}">${head}</span>${track(row, head, value, style.shape, at, ticks)}<span class="dot-value">${withDeviation(value)}</span></div>`;
    },
  )}</div>`;
}

function track(
  row: ComparisonRow,
  head: string,
  value: Estimate,
  shape: RowStyle['shape'],
  at: (value: number) => string,
  ticks: readonly number[],
): Markup {
  const middle = HEIGHT / 2;
  const interval = value.interval ? `, interval of the mean ${formatInterval(value)}` : '';
  const words = `${row.label}, ${head}: ${withDeviation(value)} %${interval || ', 1 seed'}`;
  return markup`<svg class="track" width="100%" height="${HEIGHT}" role="img" aria-label="${words}"><title>${words}</title>${ticks.map((tick) => markup`<line class="grid" x1="${at(tick)}" x2="${at(tick)}" y1="0" y2="${HEIGHT}"/>`)}${
    value.interval &&
    markup`<line class="interval" x1="${at(value.interval.lower)}" x2="${at(value.interval.upper)}" y1="${middle}" y2="${middle}"/>`
  }${value.values.length > 1 && value.values.map((one) => markup`<circle class="seed" cx="${at(one)}" cy="${middle}" r="2"/>`)}${mark(shape, at(value.mean), middle)}</svg>`;
}

function domainOf(values: readonly number[], ends: readonly number[]): [number, number] {
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (low > high) return [0, 100];
  const air = Math.max((high - low) * 0.05, 0.5);
  const widest = Math.max(high - low, air);
  const from = ends.reduce((a, b) => Math.min(a, b), low - air);
  const to = ends.reduce((a, b) => Math.max(a, b), high + air);
  return [Math.max(0, from, low - widest), Math.min(to, high + widest)];
}
