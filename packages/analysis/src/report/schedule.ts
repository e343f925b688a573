import { formatNumber } from '@g2d/core';
import { scaleLinear } from 'd3-scale';
import type { EpochMetrics } from '../run.js';
import type { Head } from './heads.js';
import { markup, type Markup } from './markup.js';

/** Epochs in a row over which κ of one modality does not change. */
interface Stretch {
  readonly from: number;
  /** Included. */
  readonly to: number;
  /** κ in [0, 1]. */
  readonly coefficient: number;
}

/** κ of one modality over the epochs, with equal neighbours joined. Epochs without a κ belong to no stretch. */
export function stretches(metrics: readonly EpochMetrics[], modality: string): Stretch[] {
  const result: Stretch[] = [];
  for (const { epoch, coefficients } of metrics) {
    const coefficient = coefficients?.[modality];
    if (coefficient === undefined) continue;
    const last = result.at(-1);
    if (last && last.to === epoch - 1 && Math.abs(last.coefficient - coefficient) < 0.0005) {
      result[result.length - 1] = { ...last, to: epoch };
    } else {
      result.push({ from: epoch, to: epoch, coefficient });
    }
  }
  return result;
}

/** κ per epoch as one strip per modality: full colour where the modality trains, empty where it is suppressed. */
export function scheduleStrips(
  metrics: readonly EpochMetrics[],
  heads: readonly Head[],
  epochs: number,
): Markup {
  const x = scaleLinear()
    .domain([0.5, epochs + 0.5])
    .range([0, 100]);
  const at = (epoch: number): string => `${Math.round(x(epoch) * 1000) / 1000}%`;
  const width = (stretch: Stretch): string =>
    `${Math.round((x(stretch.to + 0.5) - x(stretch.from - 0.5)) * 1000) / 1000}%`;
  return markup`${heads.map((head) => {
    const parts = stretches(metrics, head.key);
    if (parts.length > MOST_STRETCHES) return heightStrip(head, parts, x.domain() as [number, number]);
    return markup`<div class="lane strip"><span class="lane-name" title="${head.key}">${head.key}</span><svg class="track ${head.color}" width="100%" height="22" role="img" aria-label="${describe(head.key, parts)}">${parts.map(
      (part) =>
        markup`<g><title>${head.key}, ${span(part)}: κ = ${round(part.coefficient)}${part.coefficient === 0 && ' (suppressed)'}</title><rect class="off" x="${at(part.from - 0.5)}" y="1" width="${width(part)}" height="20"/><rect class="fill" x="${at(part.from - 0.5)}" y="1" width="${width(part)}" height="20" fill-opacity="${round(part.coefficient)}"/></g>`,
    )}</svg></div>`;
  })}<div class="lane strip"><span class="lane-name"></span><svg class="track" width="100%" height="18" aria-hidden="true">${epochTicks(
    epochs,
  ).map(
    (tick) =>
      markup`<text class="tick" x="${at(tick)}" y="12" text-anchor="${tick === epochs ? 'end' : 'middle'}">${tick === epochs ? `epoch ${tick}` : tick}</text>`,
  )}</svg></div>`;
}

/** More stretches than this are not told apart by their shade. */
const MOST_STRETCHES = 40;

// A coefficient that moves in every epoch: how high the strip is filled.
function heightStrip(head: Head, parts: readonly Stretch[], [low, high]: [number, number]): Markup {
  const y = (coefficient: number): number =>
    Math.round(20_000 * (1 - Math.min(1, Math.max(0, coefficient)))) / 1000;
  const steps = parts.map(
    ({ from, to, coefficient }) => `M${from - 0.5} 20V${y(coefficient)}H${to + 0.5}V20Z`,
  );
  const values = parts.map(({ coefficient }) => coefficient);
  const range = `κ of ${head.key}: between ${round(Math.min(...values))} and ${round(Math.max(...values))}, the height of the filled part`;
  return markup`<div class="lane strip"><span class="lane-name" title="${head.key}">${head.key}</span><svg class="track ${head.color}" width="100%" height="22" viewBox="${low} -1 ${high - low} 22" preserveAspectRatio="none" role="img" aria-label="${range}"><title>${range}</title><rect class="off" vector-effect="non-scaling-stroke" x="${low}" y="0" width="${high - low}" height="20"/><path class="fill" d="${steps.join('')}"/></svg></div>`;
}

function epochTicks(epochs: number): number[] {
  const inner = scaleLinear()
    .domain([1, epochs])
    .ticks(6)
    .filter((tick) => Number.isInteger(tick) && tick > 0 && tick < epochs * 0.9);
  return [...inner, epochs];
}

const round = (value: number): string => String(Number(formatNumber(value, 3)));

function span({ from, to }: Stretch): string {
  return from === to ? `epoch ${from}` : `epochs ${from} to ${to}`;
}

function describe(modality: string, parts: readonly Stretch[]): string {
  return `κ of ${modality}: ${parts.map((part) => `${round(part.coefficient)} in ${span(part)}`).join(', ')}`;
}
