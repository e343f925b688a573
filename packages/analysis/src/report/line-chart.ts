import { scaleLinear, scaleLog } from 'd3-scale';
import { area, line } from 'd3-shape';
import { markup, type Markup } from './markup.js';

/** One point; a gap in the line where `y` is not finite. */
export type Point = readonly [x: number, y: number];

export interface LineSeries {
  /** Name, in tooltips and as the label at the line's end. */
  readonly name: string;
  readonly points: readonly Point[];
  /** CSS class that carries the colour. */
  readonly color: string;
  /** `main` is drawn thick; `faint` thin and dashed; the others tell lines of one colour apart. */
  readonly stroke: 'main' | 'faint' | 'solid' | 'dashed' | 'dotted' | 'dashdot';
  /** Writes the name at the line's end. */
  readonly label?: boolean;
  /** Draws each point, with a tooltip. */
  readonly markers?: boolean;
}

/** A band between two lines. */
export interface Area {
  readonly name: string;
  readonly color: string;
  readonly points: readonly (readonly [x: number, low: number, high: number])[];
}

export interface LineChartOptions {
  /** What the chart shows, for people who cannot see it. */
  readonly description: string;
  readonly x: { readonly domain: readonly [number, number]; readonly label: string };
  readonly y: {
    readonly domain: readonly [number, number];
    readonly type?: 'linear' | 'log';
    readonly format: (value: number) => string;
  };
  readonly series: readonly LineSeries[];
  /** Below the lines. */
  readonly areas?: readonly Area[];
  /** Shaded spans of x. */
  readonly bands?: readonly { readonly from: number; readonly to: number; readonly label: string }[];
  /** Upright lines. */
  readonly verticals?: readonly { readonly x: number; readonly label: string }[];
  /** Level lines across the whole chart. */
  readonly levels?: readonly { readonly y: number; readonly color: string; readonly name: string }[];
  /** Rings around single points. */
  readonly rings?: readonly { readonly at: Point; readonly color: string; readonly name: string }[];
}

/** The size of every line chart, in the units of its own coordinates. */
export const SIZE = { width: 360, height: 236, left: 34, right: 58, top: 18, bottom: 34 } as const;

/** x and y of a chart as functions from data to coordinates. */
export function chartScales(options: Pick<LineChartOptions, 'x' | 'y'>): {
  x: (value: number) => number;
  y: (value: number) => number;
  xTicks: number[];
  yTicks: number[];
} {
  const x = scaleLinear()
    .domain(options.x.domain)
    .range([SIZE.left, SIZE.width - SIZE.right]);
  const makeY = options.y.type === 'log' ? scaleLog : scaleLinear;
  const y = makeY()
    .domain(options.y.domain)
    .range([SIZE.height - SIZE.bottom, SIZE.top]);
  const decades = (ticks: number[]): number[] =>
    ticks.filter((tick) => Number.isInteger(Math.round(Math.log10(tick) * 1e6) / 1e6));
  return {
    x,
    y,
    xTicks: x.ticks(5).filter(Number.isInteger),
    yTicks: options.y.type === 'log' ? decades(y.ticks(5)) : y.ticks(5),
  };
}

/** A line chart as SVG: axes, lines with their names at the ends, spans, levels. */
export function lineChart(options: LineChartOptions): Markup {
  const { x, y, xTicks, yTicks } = chartScales(options);
  const bottom = SIZE.height - SIZE.bottom;
  const right = SIZE.width - SIZE.right;
  const path = line<Point>()
    .defined((point) => Number.isFinite(y(point[1])))
    .x((point) => x(point[0]))
    .y((point) => y(point[1]))
    .digits(1);
  const region = area<Area['points'][number]>()
    .defined(([, low, high]) => Number.isFinite(y(low)) && Number.isFinite(y(high)))
    .x((point) => x(point[0]))
    .y0((point) => y(point[1]))
    .y1((point) => y(point[2]))
    .digits(1);
  return markup`<svg class="chart" viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" aria-label="${options.description}">
${(options.bands ?? []).map(
  (band) =>
    markup`<rect class="band" x="${px(x(band.from))}" y="${SIZE.top}" width="${px(x(band.to) - x(band.from))}" height="${bottom - SIZE.top}"><title>${band.label}</title></rect>
<text class="note" x="${px(x(band.from) + 4)}" y="${SIZE.top - 5}">${band.label}</text>`,
)}${yTicks.map(
    (tick) =>
      markup`<line class="grid" x1="${SIZE.left}" x2="${right}" y1="${px(y(tick))}" y2="${px(y(tick))}"/><text class="tick" x="${SIZE.left - 5}" y="${px(y(tick) + 3.5)}" text-anchor="end">${options.y.format(tick)}</text>`,
  )}
<line class="axis" x1="${SIZE.left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>
${xTicks.map((tick) => markup`<text class="tick" x="${px(x(tick))}" y="${bottom + 14}" text-anchor="middle">${tick}</text>`)}
<text class="tick" x="${px((SIZE.left + right) / 2)}" y="${SIZE.height - 4}" text-anchor="middle">${options.x.label}</text>
${(options.verticals ?? []).map(
  (vertical) =>
    markup`<line class="vertical" x1="${px(x(vertical.x))}" x2="${px(x(vertical.x))}" y1="${SIZE.top}" y2="${bottom}"><title>${vertical.label}</title></line><text class="note" x="${px(x(vertical.x) + 3)}" y="${SIZE.top - 5}">${vertical.label}</text>`,
)}${(options.levels ?? []).map(
    (level) =>
      markup`<line class="level ${level.color}" x1="${SIZE.left}" x2="${right}" y1="${px(y(level.y))}" y2="${px(y(level.y))}"><title>${level.name}</title></line>`,
  )}${(options.areas ?? []).map(
    (band) =>
      markup`<path class="area ${band.color}" d="${region(band.points) ?? ''}"><title>${band.name}</title></path>`,
  )}${options.series.map(
    (series) =>
      markup`<path class="line ${series.stroke} ${series.color}" d="${path(series.points) ?? ''}"><title>${series.name}</title></path>`,
  )}${options.series
    .filter((series) => series.markers)
    .map((series) =>
      series.points
        .filter((point) => Number.isFinite(y(point[1])))
        .map(
          (point) =>
            markup`<circle class="marker${series.points.length > MOST_DOTS && ' unseen'} ${series.color}" cx="${px(x(point[0]))}" cy="${px(y(point[1]))}" r="2.2"><title>${series.name}, ${options.x.label} ${point[0]}: ${options.y.format(point[1])}</title></circle>`,
        ),
    )}${(options.rings ?? []).map(
    (ring) =>
      markup`<circle class="ring ${ring.color}" cx="${px(x(ring.at[0]))}" cy="${px(y(ring.at[1]))}" r="5"><title>${ring.name}</title></circle>`,
  )}${endLabels(options.series, y)}
</svg>`;
}

/** More points than this are not drawn as dots, which would hide the line; their tooltips stay. */
const MOST_DOTS = 20;

/** Coordinates with one decimal: a tenth of a pixel is not seen, and the page stays small. */
function px(value: number): number {
  return Math.round(value * 10) / 10;
}

const LABEL_HEIGHT = 11.5;

// Names stand at the ends of their lines; where they would overlap they are pushed apart, keeping their order.
function endLabels(series: readonly LineSeries[], y: (value: number) => number): Markup[] {
  const labels = series
    .filter((one) => one.label)
    .flatMap((one) => {
      const last = one.points.findLast((point) => Number.isFinite(y(point[1])));
      return last ? [{ name: one.name, color: one.color, y: y(last[1]) }] : [];
    })
    .sort((a, b) => a.y - b.y);
  const positions = spread(
    labels.map((label) => label.y),
    LABEL_HEIGHT,
    SIZE.top,
    SIZE.height - SIZE.bottom,
  );
  return labels.map((label, index) => {
    const x = SIZE.width - SIZE.right + 6;
    return markup`<text class="end ${label.color}" x="${x}" y="${px((positions[index] ?? label.y) + 3.5)}"${
      label.name.length > 9
        ? markup` textLength="${SIZE.right - 8}" lengthAdjust="spacingAndGlyphs"`
        : undefined
    }>${shorten(label.name)}</text>`;
  });
}

function shorten(name: string): string {
  return name.length > 12 ? `${name.slice(0, 11)}…` : name;
}

/** Moves ascending positions apart to at least `gap`, staying within [low, high] as long as there is room. */
export function spread(positions: readonly number[], gap: number, low: number, high: number): number[] {
  const placed: number[] = [];
  for (const position of positions) placed.push(Math.max(position, (placed.at(-1) ?? low - gap) + gap));
  let limit = high;
  for (let index = placed.length - 1; index >= 0; index--) {
    placed[index] = Math.min(placed[index] ?? limit, limit);
    limit = (placed[index] ?? limit) - gap;
  }
  return placed;
}
