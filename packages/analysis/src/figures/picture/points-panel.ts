import { markup, type Markup } from '../../report/markup.js';
import type { PointsPanel } from '../data/figure-data.js';
import { plotX, plotY, PLOT, PLOT_RIGHT, px, textWidth, xAxis, yAxis } from './layout.js';
import { diamond, type LegendEntry } from './legend.js';
import { COLORS, FAINT_INK, INK, PAPER } from './tones.js';

/** Circles for the first modality, diamonds for the others: colour is not all that tells them apart. */
export const pointEntries = ({ clouds }: PointsPanel): LegendEntry[] =>
  clouds.map(({ name, tone }, i) => ({ name, tone, sign: i === 0 ? 'dot' : 'diamond' }));

/** Lines between so many pairs make a gray area. */
const MOST_PAIRS = 200;

/** Points of several kinds in a plane. */
export function pointsPlot({ x, y, clouds, paired, corner }: PointsPanel): Markup {
  const [toX, toY] = [plotX(x.domain), plotY(y.domain)];
  const [first, second] = clouds;
  const pairs =
    paired && first && second ? first.points.map((from, i) => [from, second.points[i]] as const) : [];
  const step = Math.max(1, Math.ceil(pairs.length / MOST_PAIRS));
  const lines = pairs
    .filter((_, i) => i % step === 0)
    .flatMap(([from, to]) =>
      to ? [`M${px(toX(from[0]))} ${px(toY(from[1]))}L${px(toX(to[0]))} ${px(toY(to[1]))}`] : [],
    );
  const r = (first?.points.length ?? 0) > 400 ? 2 : 2.8;
  return markup`${yAxis(y)}${xAxis(x)}
${
  lines.length > 0 &&
  markup`<path d="${lines.join('')}" fill="none" stroke="${FAINT_INK}" stroke-opacity="0.12" stroke-width="0.8"/>
`
}${clouds.map(
    ({ name, tone, points }, i) =>
      markup`<g fill="${COLORS[tone]}" fill-opacity="0.6"><title>${name}</title>${points.map(([a, b]) =>
        i === 0
          ? markup`<circle cx="${px(toX(a))}" cy="${px(toY(b))}" r="${r}"/>`
          : markup`<path d="${diamond(toX(a), toY(b), r * 1.25)}"/>`,
      )}</g>
`,
  )}${cornerOf(corner)}`;
}

/** On white, so that points below do not disturb it. */
function cornerOf(corner: readonly string[]): Markup | undefined {
  if (corner.length === 0) return undefined;
  const width = Math.max(...corner.map((text) => textWidth(text, 11))) + 12;
  const left = PLOT_RIGHT - width;
  return markup`<rect x="${px(left)}" y="${PLOT.top}" width="${px(width)}" height="${corner.length * 15 + 6}" fill="${PAPER}" fill-opacity="0.85"/>
${corner.map(
  (
    text,
    i,
  ) => markup`<text x="${PLOT_RIGHT - 6}" y="${PLOT.top + 14 + i * 15}" font-size="11" text-anchor="end" fill="${INK}">${text}</text>
`,
)}`;
}
