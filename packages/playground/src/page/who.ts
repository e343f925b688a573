// Who trains in which epoch, and how sure the teachers are.
import { formatNumber } from '@g2d/core';
import type { ByModality, EpochReport } from '../protocol.js';
import { MODALITIES, type Modality } from '../training/names.js';
import { HEAD_LABELS } from './curves.js';
import { element } from './element.js';

/** A strip for each modality: a cell for each epoch, as dark as its κ is near 1. */
export function showWho(place: HTMLElement, history: readonly EpochReport[], epochs: number): void {
  const now = history.at(-1)?.coefficients;
  place.replaceChildren(
    ...MODALITIES.map((modality) => strip(modality, history, epochs)),
    element('p', { class: 'help' }, sentence(history, now)),
  );
}

function strip(modality: Modality, history: readonly EpochReport[], epochs: number): HTMLElement {
  const cells = element('div', { class: `strip ${modality}`, 'aria-hidden': 'true' });
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const report = history[epoch - 1];
    const kappa = report && (report.coefficients?.[modality] ?? 1);
    const cell = element('span', { class: kappa === undefined ? 'later' : 'done' });
    // By the property: a style attribute is what the page's rules forbid.
    if (kappa !== undefined) cell.style.opacity = String(Math.max(0.08, Math.min(1, kappa)));
    cells.append(cell);
  }
  return element('div', { class: 'who' }, element('span', {}, HEAD_LABELS[modality]), cells);
}

function sentence(history: readonly EpochReport[], now: ByModality<number> | undefined): string {
  if (history.length === 0)
    return 'One cell for each epoch; dark: the modality trains, pale: its gradients are taken away.';
  if (!now) return 'This method changes no gradient by a factor: both modalities train in every step.';
  const values = MODALITIES.map((m) => `${HEAD_LABELS[m]} ${formatNumber(now[m], 2)}`).join(', ');
  return `κ in epoch ${history.length}: ${values}. Dark: the modality trains, pale: its gradients are taken away.`;
}

/** A bar for each teacher. */
export function showConfidence(place: HTMLElement, confidence: ByModality<number> | undefined): void {
  if (!confidence) {
    place.replaceChildren(
      element('p', { class: 'help' }, 'Known once the teachers of a method that has some are there.'),
    );
    return;
  }
  place.replaceChildren(
    ...MODALITIES.map((modality) => {
      const bar = element('span', { class: `part ${modality}` });
      bar.style.width = `${formatNumber(100 * confidence[modality], 1)}%`;
      return element(
        'div',
        { class: 'who' },
        element('span', {}, HEAD_LABELS[modality]),
        element('div', { class: 'meter', 'aria-hidden': 'true' }, bar),
        element('b', {}, formatNumber(confidence[modality], 3)),
      );
    }),
  );
}
