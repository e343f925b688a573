import { markup, type Markup } from '../../report/markup.js';
import type { PointsPanel } from '../data/figure-data.js';
import { plotX, plotY, px, xAxis, yAxis } from './layout.js';
import { diamond, type LegendEntry } from './legend.js';
import { COLORS, FAINT_INK } from './tones.js';

/** Circles for the first modality, diamonds for the others: colour is not all that tells them apart. */
export const pointEntries = ({ clouds }: PointsPanel): LegendEntry[] =>
  clouds.map(({ name, tone }, i) => ({ name, tone, sign: i === 0 ? 'dot' : 'diamond' }));

/** Lines between so many pairs make a gray area. */
const MOST_PAIRS = 200;

/** Points of several kinds in a plane. */
export function pointsPlot({ x, y, clouds, paired }: PointsPanel): Markup {
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
  const isDense = (first?.points.length ?? 0) > MANY;
  const r = isDense ? 1.6 : 2.8;
  return markup`${yAxis(y)}${xAxis(x)}
${
  lines.length > 0 &&
  markup`<path d="${lines.join('')}" fill="none" stroke="${FAINT_INK}" stroke-opacity="0.12" stroke-width="0.8"/>
`
}${layersOf(clouds).map(
    ({ name, tone, points, isFirst }) =>
      markup`<g fill="${COLORS[tone]}" fill-opacity="${isDense ? 0.45 : 0.6}"><title>${name}</title>${points.map(
        ([a, b]) =>
          isFirst
            ? markup`<circle cx="${px(toX(a))}" cy="${px(toY(b))}" r="${r}"/>`
            : markup`<path d="${diamond(toX(a), toY(b), r * 1.25)}"/>`,
      )}</g>
`,
  )}`;
}

/** So many points are drawn smaller and fainter. */
const MANY = 400;

/** In turns, so that no cloud lies on top of the others. */
const TURNS = 20;

function layersOf(clouds: PointsPanel['clouds']) {
  return Array.from({ length: TURNS }, (_, turn) =>
    clouds.map((cloud, i) => ({
      ...cloud,
      isFirst: i === 0,
      points: cloud.points.filter((_, at) => at % TURNS === turn),
    })),
  )
    .flat()
    .filter(({ points }) => points.length > 0);
}
