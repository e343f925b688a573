import { scaleLinear } from 'd3-scale';
import { markup, type Markup } from '../../report/markup.js';
import type { Panel } from '../data/figure-data.js';
import { FAINT_INK, GRID, INK } from './tones.js';

// Of every panel, in pixels. The plot lies between the margins; names of the colours stand below.
export const PANEL_WIDTH = 372;
export const PLOT = { left: 58, right: 14, top: 50, height: 216 } as const;
export const PLOT_RIGHT = PANEL_WIDTH - PLOT.right;
export const PLOT_BOTTOM = PLOT.top + PLOT.height;
/** Ticks and the name of the axis below a plot. */
export const AXIS_HEIGHT = 42;

/** With one decimal: a tenth of a pixel is not seen. */
export const px = (value: number): number => Math.round(value * 10) / 10;

/** About how wide a text is, in pixels: the font is not there to measure. */
export const textWidth = (text: string, size: number): number =>
  Array.from(text).reduce((sum, letter) => sum + widthOf(letter), 0) * size;

/** In heights of the font, as DejaVu Sans has them. */
function widthOf(letter: string): number {
  if (/[\sfijlrt.,:;'’|!()[\]-]/.test(letter)) return 0.36;
  if (/[mwMW%@]/.test(letter)) return 0.95;
  return /[A-Z]/.test(letter) ? 0.7 : 0.62;
}

/** A text cut to a width. */
export function fitting(text: string, size: number, width: number): string {
  if (textWidth(text, size) <= width) return text;
  const letters = Array.from(text);
  while (letters.length > 1 && textWidth(`${letters.join('')}…`, size) > width) letters.pop();
  return `${letters.join('').trimEnd()}…`;
}

/** A text in lines that fit into a width, broken between words. */
export function linesOf(text: string, size: number, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = lines.length > 0 ? `${lines.at(-1)} ${word}` : word;
    if (lines.length > 0 && textWidth(longer, size) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.map((line) => fitting(line, size, width));
}

export const plotX = (domain: readonly [number, number]) =>
  scaleLinear().domain(domain).range([PLOT.left, PLOT_RIGHT]);

export const plotY = (domain: readonly [number, number]) =>
  scaleLinear().domain(domain).range([PLOT_BOTTOM, PLOT.top]);

/** Title and second line of a panel. */
export function heading({ title, note }: Pick<Panel, 'title' | 'note'>): Markup {
  return markup`<text x="${PLOT.left}" y="18" font-size="13.5" font-weight="bold" fill="${INK}">${fitting(title, 13.5, PANEL_WIDTH - PLOT.left)}</text>
${note !== undefined && markup`<text x="${PLOT.left}" y="36" font-size="11" fill="${FAINT_INK}">${fitting(note, 11, PANEL_WIDTH - PLOT.left)}</text>`}`;
}

/** Horizontal lines with their numbers, and the name of the axis on its side. */
export function yAxis({
  label,
  domain,
}: {
  readonly label: string;
  readonly domain: readonly [number, number];
}): Markup {
  const y = plotY(domain);
  const format = y.tickFormat(5);
  const middle = px(PLOT.top + PLOT.height / 2);
  return markup`${y.ticks(5).map(
    (tick) =>
      markup`<line x1="${PLOT.left}" x2="${PLOT_RIGHT}" y1="${px(y(tick))}" y2="${px(y(tick))}" stroke="${GRID}" stroke-width="1"/>
<text x="${PLOT.left - 6}" y="${px(y(tick) + 4)}" font-size="11" text-anchor="end" fill="${FAINT_INK}">${format(tick)}</text>
`,
  )}<text transform="translate(15 ${middle}) rotate(-90)" font-size="11.5" text-anchor="middle" fill="${INK}">${fitting(label, 11.5, PLOT.height + 40)}</text>`;
}

/** The line below a plot, its numbers and its name. */
export function xAxis({
  label,
  domain,
  isWhole = false,
}: {
  readonly label: string;
  readonly domain: readonly [number, number];
  /** Of epochs: there is nothing between two. */
  readonly isWhole?: boolean;
}): Markup {
  const x = plotX(domain);
  const ticks = x.ticks(6).filter((tick) => !isWhole || Number.isInteger(tick));
  const format = isWhole ? String : x.tickFormat(6);
  return markup`${baseline()}${ticks.map(
    (tick) =>
      markup`<line x1="${px(x(tick))}" x2="${px(x(tick))}" y1="${PLOT_BOTTOM}" y2="${PLOT_BOTTOM + 4}" stroke="${INK}"/>
<text x="${px(x(tick))}" y="${PLOT_BOTTOM + 17}" font-size="11" text-anchor="middle" fill="${FAINT_INK}">${format(tick)}</text>
`,
  )}<text x="${px((PLOT.left + PLOT_RIGHT) / 2)}" y="${PLOT_BOTTOM + 34}" font-size="11.5" text-anchor="middle" fill="${INK}">${label}</text>`;
}

export const baseline = (): Markup =>
  markup`<line x1="${PLOT.left}" x2="${PLOT_RIGHT}" y1="${PLOT_BOTTOM}" y2="${PLOT_BOTTOM}" stroke="${INK}"/>
`;

const CAPTION_ROW = 16;

export const captionHeight = ({ caption = [] }: Pick<Panel, 'caption'>): number =>
  caption.length * CAPTION_ROW;

/** Lines of text below a panel. */
export const captionOf = ({ caption = [] }: Pick<Panel, 'caption'>, top: number): Markup =>
  markup`${caption.map(
    (text, i) =>
      markup`<text x="${PLOT.left}" y="${px(top + 10 + i * CAPTION_ROW)}" font-size="11.5" fill="${INK}">${fitting(text, 11.5, PANEL_WIDTH - PLOT.left)}</text>
`,
  )}`;
