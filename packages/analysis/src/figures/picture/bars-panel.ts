import { formatDigits, formatNumber } from '@g2d/core';
import { markup, type Markup } from '../../report/markup.js';
import type { BarsPanel } from '../data/figure-data.js';
import { baseline, fitting, plotY, PLOT, PLOT_RIGHT, px, yAxis } from './layout.js';
import type { LegendEntry } from './legend.js';
import { COLORS, FAINT_INK, INK, PAPER } from './tones.js';

/** Each name once, and the short lines. */
export function barEntries({ groups, baselines }: BarsPanel): LegendEntry[] {
  const entries = groups.flatMap(({ bars }) => bars.map(({ name, tone }) => [name, tone] as const));
  return [
    ...[...new Map(entries)].map(([name, tone]) => ({ name, tone, sign: 'square' as const })),
    ...(baselines === undefined ? [] : [{ name: baselines, tone: 'black' as const, sign: 'line' as const }]),
  ];
}

const WIDEST_BAR = 46;

/** Bars in groups, with deviations and what there would be anyway. */
export function barsPlot({ y, groups, level }: BarsPanel): Markup {
  const toY = plotY(y.domain);
  const groupWidth = (PLOT_RIGHT - PLOT.left) / groups.length;
  const zero = toY(Math.max(0, y.domain[0]));
  return markup`${yAxis(y)}${baseline()}
${
  level !== undefined &&
  markup`<line x1="${PLOT.left}" x2="${PLOT_RIGHT}" y1="${px(toY(level))}" y2="${px(toY(level))}" stroke="${FAINT_INK}" stroke-dasharray="4 3"/>
`
}${groups.map(({ name, bars }, g) => {
    const width = Math.min(WIDEST_BAR, (groupWidth * 0.8) / bars.length);
    const left = PLOT.left + groupWidth * (g + 0.5) - (width * bars.length) / 2;
    return markup`${bars
      .filter(({ value }) => Number.isFinite(value))
      .map((bar) => {
        const x = left + bars.indexOf(bar) * width;
        return barOf(bar, { x, width, zero, toY });
      })}<text x="${px(PLOT.left + groupWidth * (g + 0.5))}" y="${PLOT.top + PLOT.height + 18}" font-size="12" text-anchor="middle" fill="${INK}">${fitting(name, 12, groupWidth)}</text>
`;
  })}`;
}

function barOf(
  { name, tone, value, deviation, baseline: anyway }: BarsPanel['groups'][number]['bars'][number],
  {
    x,
    width,
    zero,
    toY,
  }: {
    readonly x: number;
    readonly width: number;
    readonly zero: number;
    readonly toY: (value: number) => number;
  },
): Markup {
  const middle = px(x + width / 2);
  const top = toY(value);
  const high = toY(value + (deviation ?? 0));
  const text = formatNumber(value, 2);
  return markup`<rect x="${px(x + 2)}" y="${px(Math.min(top, zero))}" width="${px(width - 4)}" height="${px(Math.abs(zero - top))}" fill="${COLORS[tone]}"><title>${name}: ${formatDigits(value, 4)}</title></rect>
${
  anyway !== undefined &&
  markup`<line x1="${px(x + 2)}" x2="${px(x + width - 2)}" y1="${px(toY(anyway))}" y2="${px(toY(anyway))}" stroke="${PAPER}" stroke-width="4"/><line x1="${px(x)}" x2="${px(x + width)}" y1="${px(toY(anyway))}" y2="${px(toY(anyway))}" stroke="${INK}" stroke-width="2"><title>${name}, other samples: ${formatDigits(anyway, 4)}</title></line>
`
}${
    deviation !== undefined &&
    markup`<line x1="${middle}" x2="${middle}" y1="${px(high)}" y2="${px(toY(value - deviation))}" stroke="${INK}" stroke-width="1.4"/><line x1="${px(x + width / 2 - 5)}" x2="${px(x + width / 2 + 5)}" y1="${px(high)}" y2="${px(high)}" stroke="${INK}" stroke-width="1.4"/><line x1="${px(x + width / 2 - 5)}" x2="${px(x + width / 2 + 5)}" y1="${px(toY(value - deviation))}" y2="${px(toY(value - deviation))}" stroke="${INK}" stroke-width="1.4"/>
`
  }<text x="${middle}" y="${px(Math.min(top, high, zero) - 5)}" font-size="10.5" text-anchor="middle" fill="${INK}" stroke="${PAPER}" stroke-width="3" paint-order="stroke">${text}</text>
`;
}
