import { scaleLinear } from 'd3-scale';
import { formatCount, shortNumber } from '../../format.js';
import type { Head } from '../heads.js';
import { markup, type Markup } from '../markup.js';
import type { RunView } from './heads-of-run.js';

/** More points than this are thinned out evenly. */
export const MOST_POINTS = 1500;

const SIDE = 260;
const LEFT = 38;
const BOTTOM = 34;

/** Predicted against true numbers of a regression, one square per head. */
export function scatterPlots({ run, task, heads }: RunView): Markup | undefined {
  const { predictions } = run;
  if (task !== 'regression' || !predictions || predictions.labels.length === 0) return undefined;
  const labels = predictions.labels as readonly number[];
  const shown = heads.flatMap((head) => {
    const predicted = predictions.predictions[head.key];
    return predicted ? [{ head, predicted: predicted as readonly number[] }] : [];
  });
  const values = [labels, ...shown.map(({ predicted }) => predicted)].flat().filter(Number.isFinite);
  if (shown.length === 0 || values.length === 0) return undefined;
  const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  const domain: [number, number] = low === high ? [low - 1, high + 1] : [low, high];
  return markup`<div class="heats">${shown.map(({ head, predicted }) => scatter(head, labels, predicted, domain))}</div>`;
}

function scatter(
  head: Head,
  truth: readonly number[],
  predicted: readonly number[],
  domain: [number, number],
): Markup {
  const scale = scaleLinear().domain(domain).nice();
  const x = scale.copy().range([LEFT, SIDE - 8]);
  const y = scale.copy().range([SIDE - BOTTOM, 8]);
  const px = (value: number): number => Math.round(value * 10) / 10;
  const step = Math.ceil(truth.length / MOST_POINTS);
  const points = truth.flatMap((label, index) => {
    const value = predicted[index] ?? Number.NaN;
    return index % step === 0 && Number.isFinite(label) && Number.isFinite(value)
      ? [`M${px(x(label))} ${px(y(value))}h0`]
      : [];
  });
  const [start, end] = scale.domain() as [number, number];
  const ticks = scale.ticks(4);
  const note = step > 1 ? `, one in ${step} of ${formatCount(truth.length)} samples` : '';
  return markup`<figure><figcaption><span class="swatch ${head.color}"></span><b>${head.key}</b>${note}</figcaption><svg class="scatter ${head.color}" viewBox="0 0 ${SIDE} ${SIDE}" role="img" aria-label="Predicted against true values, ${head.key}: ${points.length} points">
${ticks.map(
  (tick) =>
    markup`<line class="grid" x1="${px(x(tick))}" x2="${px(x(tick))}" y1="8" y2="${SIDE - BOTTOM}"/><line class="grid" x1="${LEFT}" x2="${SIDE - 8}" y1="${px(y(tick))}" y2="${px(y(tick))}"/><text class="tick" x="${px(x(tick))}" y="${SIDE - BOTTOM + 14}" text-anchor="middle">${shortNumber(tick, 4)}</text><text class="tick" x="${LEFT - 5}" y="${px(y(tick) + 3.5)}" text-anchor="end">${shortNumber(tick, 4)}</text>`,
)}
<line class="axis" x1="${px(x(start))}" y1="${px(y(start))}" x2="${px(x(end))}" y2="${px(y(end))}"/>
<path class="dots" d="${points.join('')}"/>
<text class="tick" x="${(LEFT + SIDE) / 2}" y="${SIDE - 4}" text-anchor="middle">true</text><text class="tick" x="10" y="${(SIDE - BOTTOM) / 2}" text-anchor="middle" transform="rotate(-90 10 ${(SIDE - BOTTOM) / 2})">predicted</text></svg></figure>`;
}
