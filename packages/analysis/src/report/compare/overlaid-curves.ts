import { formatNumber } from '@g2d/core';
import { formatList, shortNumber } from '../../format.js';
import type { ComparisonRow, ComparisonTable } from '../../compare/comparison.js';
import type { Accuracies, EpochMetrics } from '../../run.js';
import { SCORES } from '../../score-words.js';
import { errorAxis, scoreAxis } from '../axes.js';
import { epochDomain, pointsOf } from '../curves.js';
import { lineChart, type Area, type LineChartOptions, type LineSeries, type Point } from '../line-chart.js';
import { markup, type Markup } from '../markup.js';
import { PLAIN, rowStyles } from './row-style.js';

/** What the colours and strokes of the rows mean. */
function rowLegend(table: ComparisonTable): Markup {
  const styles = rowStyles(table);
  return markup`<ul class="legend">${table.rows.map((row) => {
    const style = styles.get(row);
    return markup`<li><svg class="${style?.color ?? ''}" width="26" height="8" aria-hidden="true"><path class="line ${style?.stroke ?? ''}" d="M2 4H24"/></svg>${row.label}</li>`;
  })}</ul>`;
}

// Many lines need room.
function panelsClass({ rows }: ComparisonTable): string {
  return rows.length > 8 ? 'panels wide' : 'panels';
}

/** Curves of all rows on top of each other: one panel for the fused head and one for each modality's. */
export function overlaidScores(table: ComparisonTable): Markup {
  const { split, without } = splitToShow(table);
  const { isError, title } = SCORES[table.task];
  const heads = ['fused', ...table.modalities];
  const values = table.rows.flatMap(({ runs }) =>
    runs.flatMap(({ metrics }) => metrics.flatMap((epoch) => Object.values(epoch[split] ?? {}))),
  );
  const y = scoreAxis(isError, values);
  const panels = heads.map((head) => {
    const levels = table.teachers.flatMap(({ modalities, label, main, validation, test }) => {
      const level = (split === 'validation' ? validation : test)[main]?.mean;
      return modalities.includes(head) && level !== undefined
        ? [{ y: level, color: 'muted', name: `${label}: ${formatNumber(level)} %` }]
        : [];
    });
    return overlay(table, { title: head, y, levels, read: (epoch) => epoch[split]?.[head] });
  });
  return markup`<p class="hint">${title} in percent on the ${split} split${without.length > 0 && `; not shown, since they have none: ${formatList(without)}`}.</p>${rowLegend(table)}<div class="${panelsClass(table)}">${panels}</div>`;
}

/** Training loss of all rows: the total, and the part that is the task itself where methods add others. */
export function overlaidLosses(table: ComparisonTable): Markup {
  const parts = ['total', 'student'].filter((part) =>
    table.rows.some(({ runs }) =>
      runs.some(({ metrics }) => metrics.some(({ loss }) => loss[part] !== undefined)),
    ),
  );
  const hasMore = table.rows.some(({ runs }) =>
    runs.some(({ metrics }) => metrics.some(({ loss }) => Object.keys(loss).length > 2)),
  );
  const shown = hasMore ? parts : parts.slice(0, 1);
  return markup`${rowLegend(table)}<div class="${panelsClass(table)}">${shown.map((part) => {
    const read = (epoch: EpochMetrics): number | undefined => epoch.loss[part];
    const values = table.rows.flatMap(({ runs }) =>
      runs.flatMap(({ metrics }) => metrics.flatMap((epoch) => read(epoch) ?? [])),
    );
    const y = { ...errorAxis(values), format: (value: number) => shortNumber(value, 2) };
    return overlay(table, { title: part === 'total' ? 'total' : 'the task itself', y, read });
  })}</div>`;
}

// Validation, unless only test is there for all.
function splitToShow({ rows }: ComparisonTable): {
  split: 'validation' | 'test';
  without: readonly string[];
} {
  const lacking = (split: 'validation' | 'test'): string[] =>
    rows
      .filter(({ runs }) => !runs.some(({ metrics }) => metrics.some((epoch) => epoch[split])))
      .map(({ label }) => label);
  const without = lacking('validation');
  const split = without.length > 0 && lacking('test').length < without.length ? 'test' : 'validation';
  return { split, without: lacking(split) };
}

interface Overlay {
  readonly title: string;
  readonly y: LineChartOptions['y'];
  readonly levels?: NonNullable<LineChartOptions['levels']>;
  readonly read: (epoch: EpochMetrics) => number | undefined;
}

/** Points in all lines of a panel together: beyond it, every nth epoch is drawn, so that a page of many runs stays small. */
const MOST_POINTS = 9000;

function overlay(table: ComparisonTable, { title, y, levels = [], read }: Overlay): Markup {
  const styles = rowStyles(table);
  const longest = epochDomain(table.rows.flatMap(({ runs }) => runs));
  const step = Math.max(1, Math.ceil((longest[1] * table.rows.length) / MOST_POINTS));
  const series: LineSeries[] = [];
  const areas: Area[] = [];
  for (const row of table.rows) {
    const { color, stroke } = styles.get(row) ?? PLAIN;
    const points = thin(overSeeds(row, read), step);
    if (points.length === 0) continue;
    const line = points.map(({ epoch, mean }): Point => [epoch, mean]);
    series.push({ name: row.label, points: line, color, stroke });
    if (row.runs.length < 2) continue;
    const band = points.map(({ epoch, low, high }) => [epoch, low, high] as const);
    areas.push({ name: `${row.label}: from the lowest to the highest seed`, color, points: band });
  }
  const ends = series.map(({ name, points }) => `${name} ${y.format(points.at(-1)?.[1] ?? 0)}`);
  return markup`<figure><figcaption><b>${title}</b></figcaption>${lineChart({
    description: `${title} by epoch. At the end: ${ends.join(', ')}`,
    x: { domain: longest, label: 'epoch' },
    y,
    series,
    areas,
    levels,
  })}</figure>`;
}

/** One epoch of a row over its seeds. */
interface SeedsPoint {
  readonly epoch: number;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** Mean, lowest and highest of a row's seeds, for every epoch that all seeds have which recorded anything. */
export function overSeeds(
  { runs }: Pick<ComparisonRow, 'runs'>,
  read: (epoch: EpochMetrics) => number | undefined,
): SeedsPoint[] {
  const valuesOf = (epoch: EpochMetrics): Accuracies => {
    const value = read(epoch);
    return value === undefined ? {} : { value };
  };
  const curves = runs
    .map(({ metrics }) => new Map(pointsOf(metrics, valuesOf, 'value')))
    .filter((curve) => curve.size > 0);
  const [first] = curves;
  return [...(first?.keys() ?? [])].flatMap((epoch) => {
    const values = curves.flatMap((curve) => curve.get(epoch) ?? []);
    if (values.length < curves.length) return [];
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return [{ epoch, mean, low: Math.min(...values), high: Math.max(...values) }];
  });
}

// Keeps the last point: where a line ends is what is read first.
function thin<T>(points: readonly T[], step: number): T[] {
  return points.filter((_, index) => (points.length - 1 - index) % step === 0);
}
