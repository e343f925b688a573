import { formatNumber } from '@g2d/core';
import { scaleBand } from 'd3-scale';
import { markup, type Markup } from './markup.js';
import { pngUri } from './png.js';

interface HeatMapOptions {
  /** Counts: rows are true classes, columns predicted classes. */
  readonly counts: readonly (readonly number[])[];
  readonly classNames: readonly string[];
  /** CSS class that carries the colour. */
  readonly color: string;
  readonly description: string;
}

/** Above this many classes a number does not fit into a cell. */
const MOST_NUMBERS = 12;
/** Above this many classes single cells cannot be pointed at: the table becomes a picture. */
const MOST_CELLS = 40;

const SIDE = 250;
const TOP = 20;
/** Room for a letter of a label, in the widest of the usual fonts. */
const LETTER = 6;
/** Longer names of rows are cut. */
const MOST_LETTERS = 10;

/** A confusion matrix: the stronger a cell's colour, the larger its share of the true class. Counts are in the tooltips. */
export function heatMap(options: HeatMapOptions): Markup {
  const { counts, color, description } = options;
  const classes = counts.length;
  if (classes > MOST_CELLS) return picture(options);
  const names = counts.map((_, index) => options.classNames[index] ?? String(index));
  const longest = Math.min(MOST_LETTERS, Math.max(...names.map((name) => [...name].length)));
  const left = Math.round(Math.max(26, 10 + LETTER * longest));
  const band = scaleBand<number>()
    .domain(counts.map((_, index) => index))
    .range([0, SIDE - left])
    .paddingInner(0.06);
  const at = (index: number): number => Math.round((band(index) ?? 0) * 10) / 10;
  const size = Math.round(band.bandwidth() * 10) / 10;
  const cells = counts.flatMap((row, truth) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.map((count, predicted) => {
      const share = total === 0 ? 0 : count / total;
      const percent = formatNumber(100 * share, 0);
      return markup`<g><title>true ${names[truth]}, predicted ${names[predicted]}: ${count} of ${total} (${percent} %)</title><rect class="cell" x="${at(predicted)}" y="${at(truth)}" width="${size}" height="${size}"/>${
        count > 0 &&
        markup`<rect class="fill" x="${at(predicted)}" y="${at(truth)}" width="${size}" height="${size}" fill-opacity="${Math.round(share * 100) / 100}"/>`
      }${
        count > 0 &&
        classes <= MOST_NUMBERS &&
        markup`<text class="count${strength(share)}" x="${at(predicted) + size / 2}" y="${at(truth) + size / 2 + 2.9}">${count}</text>`
      }</g>`;
    });
  });
  const label = (index: number, letters: number): Markup => shorten(names[index] ?? '', letters);
  const room = Math.max(1, Math.floor((size + 2) / LETTER));
  return markup`<svg class="heat ${color}" viewBox="0 0 ${SIDE} ${SIDE + TOP - left}" role="img" aria-label="${description}">
<g transform="translate(${left} ${TOP})">${cells}
${counts.map(
  (_, index) =>
    markup`<text class="tick" x="${at(index) + size / 2}" y="-5" text-anchor="middle">${label(index, room)}</text><text class="tick" x="-5" y="${at(index) + size / 2 + 3}" text-anchor="end">${label(index, MOST_LETTERS)}</text>`,
)}</g></svg>`;
}

/** How much ink is under a number: the style sheet chooses the readable colour for it. */
function strength(share: number): string {
  if (share > 0.85) return ' top';
  if (share > 0.62) return ' high';
  return share > 0.5 ? ' mid' : '';
}

/** A name in so many letters; what is cut is said to be, where there is room for it, and stands whole in the tooltip. */
function shorten(name: string, letters: number): Markup {
  const all = [...name];
  if (all.length <= letters) return markup`${name}`;
  const start = letters < 3 ? all.slice(0, letters) : [...all.slice(0, letters - 1), '…'];
  return markup`${start.join('')}<title>${name}</title>`;
}

function picture({ counts, description }: HeatMapOptions): Markup {
  const shares = counts.flatMap((row) => {
    const total = row.reduce((sum, count) => sum + count, 0) || 1;
    // The root lifts single mistakes out of the dark, which are all there is beside the diagonal of many classes.
    return row.map((count) => Math.sqrt(count / total));
  });
  const uri = pngUri({
    width: counts.length,
    height: counts.length,
    values: shares,
    colors: 'magma-like',
  });
  return markup`<img class="heat pixels" src="${uri}" alt="${description}">`;
}
