import { area, line } from 'd3-shape';
import { markup, type Markup } from '../../report/markup.js';
import type { LinesPanel } from '../data/figure-data.js';
import { plotX, plotY, PLOT, PLOT_BOTTOM, px, xAxis, yAxis } from './layout.js';
import type { LegendEntry } from './legend.js';
import { COLORS, FAINT_INK, PAPER } from './tones.js';

export const lineEntries = ({ series }: LinesPanel): LegendEntry[] =>
  series.map(({ name, tone, dashed }) => ({ name, tone, sign: dashed ? 'dashed' : 'line' }));

/** Lines over epochs, with bands around them. */
export function linesPlot({ x, y, series, verticals = [] }: LinesPanel): Markup {
  const [toX, toY] = [plotX(x.domain), plotY(y.domain)];
  const isThere = ([, value]: readonly [number, number]): boolean => Number.isFinite(value);
  const path = line<readonly [number, number]>()
    .defined(isThere)
    .x(([at]) => toX(at))
    .y(([, value]) => toY(value))
    .digits(1);
  const region = area<readonly [number, number, number]>()
    .x(([at]) => toX(at))
    .y0(([, low]) => toY(clamped(low, y.domain)))
    .y1(([, , high]) => toY(clamped(high, y.domain)))
    .digits(1);
  return markup`${yAxis(y)}${xAxis({ ...x, isWhole: true })}
${verticals.map(
  ({ x: at, label }) =>
    markup`<line x1="${px(toX(at))}" x2="${px(toX(at))}" y1="${PLOT.top}" y2="${PLOT_BOTTOM}" stroke="${FAINT_INK}" stroke-dasharray="4 3"/>
<text x="${px(toX(at) + 4)}" y="${PLOT.top - 3}" font-size="10.5" fill="${FAINT_INK}">${label}</text>
`,
)}${series.map(
    ({ name, tone, band = [] }) =>
      band.length > 0 &&
      markup`<path d="${region(band) ?? ''}" fill="${COLORS[tone]}" fill-opacity="0.18"><title>${name}</title></path>
`,
  )}${series.map(
    ({ name, tone, dashed, points }) =>
      markup`<path d="${path(points) ?? ''}" fill="none" stroke="${COLORS[tone]}" stroke-width="2.2" stroke-linejoin="round"${dashed && markup` stroke-dasharray="6 4"`}><title>${name}</title></path>
${points.filter(isThere).length === 1 && points.filter(isThere).map(([at, value]) => markup`<circle cx="${px(toX(at))}" cy="${px(toY(value))}" r="3" fill="${COLORS[tone]}"/>`)}`,
  )}${series.map(({ name, tone, marks = [] }) =>
    marks.map(
      ([at, value]) =>
        markup`<circle cx="${px(toX(at))}" cy="${px(toY(value))}" r="4" fill="${PAPER}" stroke="${COLORS[tone]}" stroke-width="2"><title>${name}, selected epoch ${at}</title></circle>
`,
    ),
  )}`;
}

const clamped = (value: number, [low, high]: readonly [number, number]): number =>
  Math.min(high, Math.max(low, value));
