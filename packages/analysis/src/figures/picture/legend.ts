import { markup, type Markup } from '../../report/markup.js';
import type { Tone } from '../data/figure-data.js';
import { PANEL_WIDTH, PLOT, px, textWidth } from './layout.js';
import { COLORS, INK } from './tones.js';

/** What stands beside a name. */
export type Sign = 'line' | 'dashed' | 'square' | 'dot' | 'diamond';

export interface LegendEntry {
  readonly name: string;
  readonly tone: Tone;
  readonly sign: Sign;
}

const SIZE = 11.5;
const ROW = 17;
const SIGN_WIDTH = 24;

/** Entries in rows that fit under a plot. */
function rowsOf(entries: readonly LegendEntry[]): LegendEntry[][] {
  const rows: LegendEntry[][] = [];
  let left = 0;
  for (const entry of entries) {
    const width = widthOf(entry);
    const row = rows.at(-1);
    if (row && width <= left) {
      row.push(entry);
      left -= width;
    } else {
      rows.push([entry]);
      left = PANEL_WIDTH - PLOT.left - width;
    }
  }
  return rows;
}

const widthOf = ({ name }: LegendEntry): number => SIGN_WIDTH + textWidth(name, SIZE) + 14;

export const legendHeight = (entries: readonly LegendEntry[]): number => rowsOf(entries).length * ROW + 6;

/** Names of colours, from `top` on. */
export function legend(entries: readonly LegendEntry[], top: number): Markup {
  return markup`${rowsOf(entries).map((row, i) => {
    let x: number = PLOT.left;
    return row.map((entry) => {
      const at = x;
      x += widthOf(entry);
      const y = top + i * ROW + 10;
      return markup`${signOf(entry, at, y)}<text x="${px(at + SIGN_WIDTH)}" y="${px(y + 4)}" font-size="${SIZE}" fill="${INK}">${entry.name}</text>
`;
    });
  })}`;
}

function signOf({ tone, sign }: LegendEntry, x: number, y: number): Markup {
  const color = COLORS[tone];
  if (sign === 'square')
    return markup`<rect x="${px(x + 3)}" y="${px(y - 6)}" width="12" height="12" fill="${color}"/>`;
  if (sign === 'dot') return markup`<circle cx="${px(x + 9)}" cy="${px(y)}" r="4.5" fill="${color}"/>`;
  if (sign === 'diamond') return markup`<path d="${diamond(x + 9, y, 5.5)}" fill="${color}"/>`;
  return markup`<line x1="${px(x)}" x2="${px(x + 18)}" y1="${px(y)}" y2="${px(y)}" stroke="${color}" stroke-width="2.4"${sign === 'dashed' && markup` stroke-dasharray="6 4"`}/>`;
}

/** A square on its corner. */
export const diamond = (x: number, y: number, r: number): string =>
  `M${px(x)} ${px(y - r)}L${px(x + r)} ${px(y)}L${px(x)} ${px(y + r)}L${px(x - r)} ${px(y)}Z`;
