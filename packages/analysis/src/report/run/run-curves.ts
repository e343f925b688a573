import { ownValue } from '@g2d/core';
import { withPercent, shortNumber } from '../../format.js';
import type { Accuracies, EpochMetrics } from '../../run.js';
import { SCORES } from '../../score-words.js';
import { errorAxis, scoreAxis } from '../axes.js';
import { learningRateDrops, lossPanels, phaseBands, pointsOf } from '../curves.js';
import type { Head } from '../heads.js';
import { lineChart, type LineChartOptions, type LineSeries } from '../line-chart.js';
import { markup, type Markup } from '../markup.js';
import { teacherResults, type RunView } from './heads-of-run.js';

const SPLITS: readonly {
  readonly split: 'train' | 'validation' | 'test';
  readonly stroke: LineSeries['stroke'];
}[] = [
  { split: 'train', stroke: 'faint' },
  { split: 'test', stroke: 'dotted' },
  { split: 'validation', stroke: 'main' },
];

/** One panel per head, all with the same axes: training, validation and test by epoch, and the teacher's level. */
export function headCurves(view: RunView): Markup {
  const { run, task, heads } = view;
  const all = run.metrics.flatMap((epoch) =>
    SPLITS.flatMap(({ split }) => heads.flatMap((head) => epoch[split]?.[head.key] ?? [])),
  );
  const y = scoreAxis(SCORES[task].isError, all);
  return markup`<div class="panels">${heads.map((head) => headPanel(view, head, y))}</div>`;
}

function headPanel(view: RunView, head: Head, y: LineChartOptions['y']): Markup {
  const { run, main, results } = view;
  const series = SPLITS.flatMap(({ split, stroke }): LineSeries[] => {
    const points = pointsOf(run.metrics, (epoch) => epoch[split], head.key);
    if (points.length === 0) return [];
    const markers = split === 'validation';
    return [{ name: split, points, color: head.color, stroke, label: true, markers }];
  });
  const teacher = teacherResults(run, 'validation')[head.key] ?? teacherResults(run, 'test')[head.key];
  const chosen = run.summary ? (results.validation[head.key] ?? results.test[head.key]) : undefined;
  const end = series.at(-1)?.points.at(-1)?.[1];
  return markup`<figure><figcaption><span class="swatch ${head.color}"></span><b>${head.key}</b></figcaption>${lineChart(
    {
      description: `${SCORES[view.task].title} by epoch, ${head.key}. At the end: ${end === undefined ? 'nothing measured' : withPercent(end)}`,
      x: { domain: epochAxis(view), label: 'epoch' },
      y,
      series,
      levels:
        teacher === undefined || run.config.kind === 'teacher'
          ? []
          : [{ y: teacher, color: head.color, name: `${head.key} teacher: ${withPercent(teacher)}` }],
      bands: phaseBands(run),
      verticals: learningRateDrops(run.metrics),
      rings:
        head.key !== main.key || chosen === undefined || results.epoch === undefined
          ? []
          : [{ at: [results.epoch, chosen], color: head.color, name: `selected: epoch ${results.epoch}` }],
    },
  )}</figure>`;
}

/** From the first epoch to the last one that was planned, so that an unfinished run shows what is missing. */
function epochAxis({ run }: RunView): [number, number] {
  const planned = Math.max(1, run.config.epochs, run.metrics.at(-1)?.epoch ?? 0);
  return [0.5, planned + 0.5];
}

/** Expected calibration error by epoch; nothing where it was not measured. */
export function calibrationCurves(view: RunView): Markup | undefined {
  const { run, heads } = view;
  const split = run.metrics.some(({ metrics }) => metrics?.['validation']) ? 'validation' : 'test';
  return numbersChart(view, {
    title: `Expected calibration error on the ${split} split, %`,
    keys: heads,
    read: (epoch, key) => epoch.metrics?.[split]?.[key]?.['calibrationError'],
  });
}

/** The loss and its parts, the learning rate where it changes, and whatever else a method recorded, one panel each. */
export function lossAndOtherCurves(view: RunView): Markup {
  const { run, heads } = view;
  const rates = new Set(run.metrics.map(({ learningRate }) => learningRate));
  const names = [...new Set(run.metrics.flatMap(({ series }) => Object.keys(series ?? {})))];
  const colors = new Map(heads.map((head) => [head.key, head.color]));
  const panels = [
    ...lossPanels({ runs: [run], modalities: run.config.modalities }, 'Training loss'),
    rates.size > 1
      ? numbersChart(view, {
          title: 'Learning rate',
          keys: [{ key: 'rate', color: 'fused' }],
          read: (epoch) => epoch.learningRate,
        })
      : undefined,
    ...names.map((name) => {
      const keys = [
        ...new Set(run.metrics.flatMap(({ series }) => Object.keys(ownValue(series, name) ?? {}))),
      ];
      return numbersChart(view, {
        title: name,
        keys: keys.map((key) => ({ key, color: colors.get(key) ?? 'muted' })),
        read: (epoch, key) => ownValue(ownValue(epoch.series, name), key),
      });
    }),
  ].filter((panel) => panel !== undefined);
  return markup`<div class="panels">${panels}</div>`;
}

function numbersChart(
  view: RunView,
  {
    title,
    keys,
    read,
  }: {
    readonly title: string;
    readonly keys: readonly Head[];
    readonly read: (epoch: EpochMetrics, key: string) => number | undefined;
  },
): Markup | undefined {
  const valuesOf = (epoch: EpochMetrics, key: string): Accuracies => {
    const value = read(epoch, key);
    return value === undefined ? {} : { [key]: value };
  };
  const series = keys
    .map(({ key, color }): LineSeries => ({
      name: key,
      points: pointsOf(view.run.metrics, (epoch) => valuesOf(epoch, key), key),
      color,
      stroke: key === view.main.key ? 'main' : 'solid',
      label: keys.length > 1,
    }))
    .filter(({ points }) => points.length > 0);
  if (series.length === 0) return undefined;
  const values = series.flatMap(({ points }) => points.map(([, value]) => value));
  const low = Math.min(0, ...values);
  const axis = low < 0 ? { domain: [low * 1.08, Math.max(0, ...values) * 1.08] as const } : errorAxis(values);
  return markup`<figure><figcaption><b>${title}</b></figcaption>${lineChart({
    description: `${title} by epoch`,
    x: { domain: epochAxis(view), label: 'epoch' },
    y: { ...axis, format: (value) => shortNumber(value, 2) },
    series,
    bands: phaseBands(view.run),
  })}</figure>`;
}
