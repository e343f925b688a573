import { ownValue } from '@g2d/core';
import { withPercent, shortNumber } from '../format.js';
import { methodWords, runLabel } from '../methods.js';
import type { Accuracies, EpochMetrics, StartedRun } from '../run.js';
import { phaseEpochsOf } from '../run-settings.js';
import { headsOf, type Head } from './heads.js';
import { lineChart, type LineChartOptions, type LineSeries, type Point } from './line-chart.js';
import { markup, type Markup } from './markup.js';
import type { Shown } from './shown.js';

/** Accuracy by epoch: one panel per run, all with the same axes. */
export function accuracyCurves(group: Shown): Markup {
  const heads = headsOf(group.modalities);
  const domain = epochDomain(group.runs);
  return markup`<div class="panels">${trained(group).map((run) => accuracyPanel(group, run, heads, domain))}</div>`;
}

/** A run without training, such as the mean of the teachers, has no epochs. */
const trained = ({ runs }: Shown): readonly StartedRun[] => runs.filter(({ metrics }) => metrics.length > 0);

/** Losses by epoch on one logarithmic scale: the total and its parts. */
export function lossCurves(group: Shown): Markup {
  return markup`<div class="panels">${lossPanels(group)}</div>`;
}

/** The panels of `lossCurves`, under the runs' names or a title of their own. */
export function lossPanels(group: Shown, ownTitle?: string): Markup[] {
  const domain = epochDomain(group.runs);
  const values = group.runs
    .flatMap((run) => run.metrics.flatMap(({ loss }) => Object.values(loss)))
    .filter((value) => value > 0 && Number.isFinite(value));
  if (values.length === 0) return [];
  const low = Math.min(...values);
  const high = Math.max(...values);
  // A little air, and never less than a decade.
  const range: [number, number] = [Math.min(low, high / 10) * 0.8, high * 1.25];
  return trained(group).map((run) => lossPanel(run, domain, range, ownTitle));
}

function accuracyPanel(
  group: Shown,
  run: StartedRun,
  heads: readonly Head[],
  domain: readonly [number, number],
): Markup {
  const series = heads.flatMap((head): LineSeries[] => {
    const validation = pointsOf(run.metrics, (epoch) => epoch.validation, head.key);
    const train = pointsOf(run.metrics, (epoch) => epoch.train, head.key);
    const name = (part: string): string => `${head.key}, ${part}`;
    const lines: LineSeries[] = [];
    if (train.length > 0) {
      lines.push({ name: name('train'), points: train, color: head.color, stroke: 'faint' });
    }
    if (validation.length > 0) {
      const stroke = head.key === 'fused' ? 'main' : 'solid';
      lines.push({
        name: head.key,
        points: validation,
        color: head.color,
        stroke,
        label: true,
        markers: true,
      });
    }
    return lines;
  });
  const levels = heads.flatMap((head) => {
    const level = validationOfTeacher(group, head.key);
    if (level === undefined || !run.config.modalities.includes(head.key)) return [];
    const name = `${head.key} teacher, validation: ${withPercent(level)}`;
    return [{ y: level, color: head.color, name }];
  });
  const { title, note } = panelTitle(run);
  return markup`<figure><figcaption><b>${title}</b> ${note}</figcaption>${lineChart({
    description: `Accuracy by epoch of ${title}. ${describeEnd(run)}`,
    x: { domain, label: 'epoch' },
    y: { domain: [0, 100], format: (value) => shortNumber(value, 3) },
    // Thin lines below thick ones.
    series: series.sort((a, b) => Number(a.stroke !== 'faint') - Number(b.stroke !== 'faint')),
    levels: run.config.kind === 'student' ? levels : [],
    bands: phaseBands(run),
    verticals: learningRateDrops(run.metrics),
    rings: selectedRing(run, heads),
  })}</figure>`;
}

const LOSS_STROKES: Readonly<Record<string, LineSeries['stroke']>> = {
  total: 'main',
  student: 'solid',
  feature: 'dashed',
  logit: 'dotted',
};

function lossPanel(
  run: StartedRun,
  domain: readonly [number, number],
  range: readonly [number, number],
  ownTitle: string | undefined,
): Markup {
  const parts = [...new Set(run.metrics.flatMap(({ loss }) => Object.keys(loss)))];
  // Where the loss has one part only, that part is the total.
  const shown = parts.filter((part) => part === 'total' || parts.length > 2);
  const series = shown.map((part): LineSeries => ({
    name: part,
    points: pointsOf(run.metrics, (epoch) => epoch.loss, part),
    color: part === 'total' ? 'fused' : 'muted',
    stroke: ownValue(LOSS_STROKES, part) ?? 'solid',
    label: true,
  }));
  const { title, note } = panelTitle(run);
  return markup`<figure><figcaption><b>${ownTitle ?? title}</b> ${note}</figcaption>${lineChart({
    description: `Training loss by epoch of ${title}, logarithmic scale`,
    x: { domain, label: 'epoch' },
    y: { domain: range, type: 'log', format: (value) => shortNumber(value, 2) },
    series,
    bands: phaseBands(run),
    verticals: learningRateDrops(run.metrics),
  })}</figure>`;
}

/** Words above the panel of a run. */
export function panelTitle(run: StartedRun): { title: string; note: string } {
  const { kind, modalities } = run.config;
  if (kind === 'teacher') return { title: `Teacher of ${modalities.join(', ')}`, note: '' };
  // In a folder of runs each method's folder has its name.
  const words = methodWords(run.name);
  return { title: words.description === '' ? runLabel(run.config) : words.label, note: '' };
}

/** Phases before the last one, in which single modalities go first; the last phase trains everything. */
export function phaseBands(run: StartedRun): NonNullable<LineChartOptions['bands']> {
  const phases = phaseEpochsOf(run.config) ?? [];
  let from = 0.5;
  return phases.slice(0, -1).flatMap((epochs, index) => {
    const band = {
      from,
      to: from + epochs,
      label: phases.length > 2 ? `phase ${index + 1}` : 'one modality first',
    };
    from += epochs;
    return epochs > 0 ? [band] : [];
  });
}

const MOST_DROPS = 5;

/** Where the learning rate changes: between the last epoch with the old rate and the first with the new one. */
export function learningRateDrops(
  metrics: readonly EpochMetrics[],
): NonNullable<LineChartOptions['verticals']> {
  const drops = metrics.slice(1).flatMap((epoch, index) => {
    const before = metrics[index]?.learningRate;
    if (before === undefined || epoch.learningRate === undefined || before === epoch.learningRate) return [];
    const ratio = Number(shortNumber(epoch.learningRate / before, 2));
    return [{ x: epoch.epoch - 0.5, label: `rate × ${ratio}` }];
  });
  // A schedule that moves in every epoch has no drops to mark.
  return drops.length > MOST_DROPS ? [] : drops;
}

function selectedRing(run: StartedRun, heads: readonly Head[]): NonNullable<LineChartOptions['rings']> {
  const selectedEpoch = run.summary?.selectedEpoch;
  const accuracies = run.metrics.find(({ epoch }) => epoch === selectedEpoch)?.validation;
  const key = run.config.kind === 'teacher' ? (run.config.modalities[0] ?? '') : 'fused';
  const value = accuracies?.[key];
  // The last epoch is no choice.
  if (selectedEpoch === undefined || selectedEpoch === run.config.epochs || value === undefined) return [];
  const color = heads.find((head) => head.key === key)?.color ?? 'fused';
  return [
    {
      at: [selectedEpoch, value],
      color,
      name: `chosen on ${run.summary?.select === 'test-best' ? 'test' : 'validation'}: epoch ${selectedEpoch}`,
    },
  ];
}

function describeEnd(run: StartedRun): string {
  const last = run.metrics.findLast((epoch) => epoch.validation !== undefined)?.validation ?? {};
  const parts = Object.entries(last).map(([key, value]) => `${key} ${withPercent(value)}`);
  return parts.length === 0 ? '' : `Validation at the end: ${parts.join(', ')}.`;
}

function validationOfTeacher(group: Shown, modality: string): number | undefined {
  const teacher = group.runs.find(
    ({ config }) => config.kind === 'teacher' && config.modalities.includes(modality),
  );
  return teacher?.summary?.validation[modality];
}

/** The points of one entry over the epochs that have it. */
export function pointsOf(
  metrics: readonly EpochMetrics[],
  part: (epoch: EpochMetrics) => Accuracies | undefined,
  key: string,
): Point[] {
  return metrics.flatMap((epoch) => {
    const value = part(epoch)?.[key];
    return value === undefined ? [] : [[epoch.epoch, value] as const];
  });
}

/** Epochs of the longest run: every panel has this axis. */
export function epochDomain(runs: readonly StartedRun[]): [number, number] {
  return [0.5, Math.max(1, ...runs.flatMap(({ metrics }) => metrics.map(({ epoch }) => epoch))) + 0.5];
}
