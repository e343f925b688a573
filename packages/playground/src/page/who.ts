// Who trains in which epoch, and how sure the teachers are.
import { formatNumber } from '@g2d/core';
import type { ByModality, EpochReport } from '../protocol.js';
import { MODALITIES, type Modality } from '../training/names.js';
import { HEAD_LABELS } from './curves.js';
import { element } from './element.js';

/** A strip for each modality: a cell for each epoch, as dark as its κ is near 1. */
export function showWho(place: HTMLElement, history: readonly EpochReport[], epochs: number): void {
  const now = history.at(-1)?.coefficients;
  // Cells stay: only those of new epochs change.
  if (history.length === 0 || place.querySelectorAll('.strip span').length !== MODALITIES.length * epochs)
    place.replaceChildren(
      ...MODALITIES.map((modality) => strip(modality, epochs)),
      element('p', { class: 'help' }),
    );
  for (const modality of MODALITIES) fill(place, modality, history);
  (place.lastElementChild as HTMLElement).textContent = sentence(history, now);
}

function strip(modality: Modality, epochs: number): HTMLElement {
  const cells = Array.from({ length: epochs }, () => element('span', { class: 'later' }));
  return element(
    'div',
    { class: 'who' },
    element('span', {}, HEAD_LABELS[modality]),
    element('div', { class: `strip ${modality}`, 'aria-hidden': 'true' }, ...cells),
  );
}

function fill(place: HTMLElement, modality: Modality, history: readonly EpochReport[]): void {
  const later = place.querySelectorAll<HTMLElement>(`.strip.${modality} .later`);
  const done = place.querySelectorAll(`.strip.${modality} .done`).length;
  history.slice(done).forEach(({ coefficients }, i) => {
    const cell = later[i] as HTMLElement;
    cell.className = 'done';
    // By the property: a style attribute is what the page's rules forbid.
    cell.style.opacity = String(Math.max(0.08, Math.min(1, coefficients?.[modality] ?? 1)));
  });
}

function sentence(history: readonly EpochReport[], now: ByModality<number> | undefined): string {
  if (history.length === 0)
    return 'One cell for each epoch. Full: the modality trains; faint: its gradients are taken away.';
  if (!now) return 'This method changes no gradient by a factor: both modalities train in every step.';
  const values = MODALITIES.map((m) => `${HEAD_LABELS[m]} ${formatNumber(now[m], 2)}`).join(', ');
  return `κ in epoch ${history.length}: ${values}. Full: the modality trains; faint: its gradients are taken away.`;
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
