import { markup, type Markup } from '../markup.js';
import type { MarkShape } from './row-style.js';

/** Around (0, 0), of about the same area as a circle of radius 4.5. */
const PATHS: Readonly<Record<MarkShape, string>> = {
  circle: 'M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0Z',
  diamond: 'M0 -5.6L5.6 0L0 5.6L-5.6 0Z',
  square: 'M-4 -4H4V4H-4Z',
  triangle: 'M0 -5.6L5.6 4.2H-5.6Z',
};

/** The dot of a row: together with its colour, the shape is the row's. `x` may be in percent. */
export function mark(shape: MarkShape, x: string, y: number): Markup {
  // A path has no percentages: the inner picture carries it to its place.
  return markup`<svg x="${x}" y="${y}" width="1" height="1" overflow="visible"><path class="dot ${shape}" d="${PATHS[shape]}"/></svg>`;
}

/** The same dot beside the row's name. */
export function swatch(shape: MarkShape): Markup {
  return markup`<svg class="mark" width="12" height="12" aria-hidden="true">${mark(shape, '6', 6)}</svg>`;
}
