import { formatNumber } from '@g2d/core';
import { formatPercent, withPercent } from '../../format.js';
import { SCORES } from '../../score-words.js';
import { markup, type Markup } from '../markup.js';
import { axisLane, FUSED_HEIGHT, HEAD_HEIGHT, lane, nameWidth } from '../overview.js';
import { teacherResults, type RunView } from './heads-of-run.js';

/** Bars of all heads on test (else on validation), with a tick where each modality's teacher is. */
export function runOverview({ run, task, heads, main, results }: RunView): Markup | undefined {
  const split = Object.keys(results.test).length > 0 ? 'test' : 'validation';
  const teachers = teacherResults(run, split);
  const values = results[split];
  const shown = heads.flatMap((head) => {
    const value = values[head.key];
    return value === undefined ? [] : [{ head, value, teacher: teachers[head.key] }];
  });
  if (shown.length === 0) return undefined;
  const largest = Math.max(...shown.flatMap(({ value, teacher }) => [value, teacher ?? 0]));
  const { isError, title } = SCORES[task];
  const max = isError ? roundUp(largest) : 100;
  const hasTeachers = shown.some(({ teacher }) => teacher !== undefined);
  return markup`<div class="overview alone" style="${nameWidth(run.config.modalities)}">
<p class="hint">${title} in percent on the ${split} split${hasTeachers && '; ticks: each modality’s teacher, trained on it alone'}.</p>
<div class="lanes">${shown.map(({ head, value, teacher }) => {
    const isMain = head.key === main.key;
    const compared = teacher === undefined ? '' : `; its teacher: ${withPercent(teacher)}`;
    return lane(head.key, isMain ? FUSED_HEIGHT : HEAD_HEIGHT, head.color, undefined, {
      value,
      teacher,
      thickness: isMain ? 18 : 9,
      outlined: false,
      tooltip: `${head.key}: ${withPercent(value)}${compared}`,
      max,
    });
  })}${axisLane(max, hasTeachers ? '% / teacher' : '%')}</div></div>`;
}

/** The next larger of 1, 2, 4, 5 times a power of ten. */
export function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  return ([1, 2, 4, 5, 10].find((factor) => factor * power >= value) ?? 10) * power;
}

const METRICS: readonly { readonly key: string; readonly title: string; readonly digits: number }[] = [
  { key: 'macroF1', title: 'macro F1, %', digits: 1 },
  { key: 'subsetAccuracy', title: 'all classes right, %', digits: 1 },
  { key: 'meanAveragePrecision', title: 'mAP, %', digits: 1 },
  { key: 'rSquared', title: 'R²', digits: 3 },
  { key: 'calibrationError', title: 'calibration error, %', digits: 1 },
  { key: 'loss', title: 'loss', digits: 3 },
];

/** Every number of the shown epoch: one row per split and head. */
export function metricsTable({ run, task, heads, results }: RunView): Markup | undefined {
  const splits = (['test', 'validation'] as const).filter((split) => Object.keys(results[split]).length > 0);
  if (splits.length === 0) return undefined;
  const shown = METRICS.filter(({ key }) =>
    splits.some((split) => heads.some((head) => results.metrics[split]?.[head.key]?.[key] !== undefined)),
  );
  const teachers = { test: teacherResults(run, 'test'), validation: teacherResults(run, 'validation') };
  const hasTeachers = splits.some((split) => Object.keys(teachers[split]).length > 0);
  const header = [`${SCORES[task].name}, %`, ...shown.map(({ title }) => title)];
  const cells = (split: 'test' | 'validation', head: string): string[] => [
    formatPercent(results[split][head]),
    ...shown.map(({ key, digits }) => {
      const value = results.metrics[split]?.[head]?.[key];
      return value === undefined ? '–' : formatNumber(value, digits);
    }),
    ...(hasTeachers ? [formatPercent(teachers[split][head])] : []),
  ];
  return markup`<div class="scroll"><table class="results"><thead><tr><th scope="col">split</th><th scope="col">head</th>${[
    ...header,
    ...(hasTeachers ? ['its teacher, %'] : []),
  ].map((title) => markup`<th scope="col" class="number">${title}</th>`)}</tr></thead><tbody>${splits.map(
    (split) =>
      heads.map(
        (head, index) =>
          markup`<tr><td>${index === 0 && split}</td><th scope="row" class="name"><span class="swatch ${head.color}"></span>${head.key}</th>${cells(split, head.key).map((cell) => markup`<td class="number">${cell}</td>`)}</tr>`,
      ),
  )}</tbody></table></div>`;
}
