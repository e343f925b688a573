// Test pairs to see and hear, with what each head says now.
import { formatNumber } from '@g2d/core';
import { HEADS, type Head, type Predictions, type ShownSample } from '../protocol.js';
import { answerTo, DIGITS, pairsIn } from './answers.js';
import type { Cell } from './confusion.js';
import { HEAD_LABELS } from './curves.js';
import { element } from './element.js';

/** So many pairs of a cell are shown. */
const MOST = 6;
const RATE = 8000;

/** Shows the pairs of a cell; asks for those that it does not have. */
export function sampleCards(
  place: HTMLElement,
  ask: (indices: readonly number[]) => void,
): {
  show(predictions: Predictions | undefined, cell: Cell): void;
  add(samples: readonly ShownSample[]): void;
  /** Other data: what is here is of the former. */
  forget(): void;
} {
  const known = new Map<number, ShownSample>();
  const cards = new Map<number, Card>();
  const asked = new Set<number>();
  let last: { readonly predictions: Predictions; readonly cell: Cell } | undefined;
  const words = element('p', { class: 'help' });
  const list = element('ul', { class: 'cards' });
  place.replaceChildren(words, list);

  function render(): void {
    if (!last) {
      words.textContent = 'After the first epoch. A click on a number above opens the pairs behind it.';
      list.replaceChildren();
      return;
    }
    const { predictions, cell } = last;
    const pairs = pairsIn(predictions, cell.head, cell);
    const shown = pairs.slice(0, MOST);
    const whose = HEAD_LABELS[cell.head];
    words.textContent =
      pairs.length === 0
        ? `No pair of a ${cell.label} is answered ${cell.answer} by ${whose}.`
        : `${pairs.length} ${pairs.length === 1 ? 'pair' : 'pairs'} of a ${cell.label}, answered ${cell.answer} by ${whose}${pairs.length > MOST ? `; the first ${MOST}` : ''}.`;
    const missing = shown.filter((pair) => !known.has(pair) && !asked.has(pair));
    for (const pair of missing) asked.add(pair);
    if (missing.length > 0) ask(missing);
    const present = shown.flatMap((pair) => {
      const sample = known.get(pair);
      if (!sample) return [];
      const card = cards.get(pair) ?? cardOf(sample);
      cards.set(pair, card);
      card.update(predictions);
      return [card.root];
    });
    // What stays is not touched: somebody may be listening, or at its button.
    const same =
      present.length === list.childElementCount && present.every((root, i) => list.children[i] === root);
    if (!same) list.replaceChildren(...present);
  }

  return {
    show(predictions, cell) {
      last = predictions && { predictions, cell };
      render();
    },
    add(samples) {
      for (const sample of samples) known.set(sample.index, sample);
      render();
    },
    forget() {
      known.clear();
      cards.clear();
      asked.clear();
      last = undefined;
      render();
    },
  };
}

interface Card {
  readonly root: HTMLElement;
  update(predictions: Predictions): void;
}

function cardOf(sample: ShownSample): Card {
  const { index, label, image, spectrogram, sound } = sample;
  const play = element(
    'button',
    { type: 'button', 'aria-label': `Play the sound of pair ${index + 1}, a ${label}` },
    '▶ Play',
  );
  play.addEventListener('click', () => playSound(sound));
  const answers = element('dl', {});
  const picture = drawn(image, 28, { flip: false, alt: `The picture of a ${label}, reduced` });
  const sounds = drawn(spectrogram, 56, { flip: true, alt: `The spectrogram of a spoken ${label} in noise` });
  return {
    root: element(
      'li',
      {},
      element('p', { class: 'digit' }, `A ${label}`, element('span', {}, ` pair ${index + 1}`)),
      element('div', { class: 'pictures' }, picture, sounds),
      play,
      answers,
    ),
    update(predictions) {
      answers.replaceChildren(...HEADS.flatMap((head) => answer(predictions, head, { index, label })));
    },
  };
}

function answer(
  predictions: Predictions,
  head: Head,
  { index, label }: { readonly index: number; readonly label: number },
): HTMLElement[] {
  const given = answerTo(predictions, head, index);
  const probability = predictions.probabilities[head][index * DIGITS + given] as number;
  const isRight = given === label;
  return [
    element('dt', { class: head }, HEAD_LABELS[head]),
    element(
      'dd',
      { class: isRight ? 'right' : 'wrong' },
      `${isRight ? '✓' : '✗'} ${given}`,
      element('span', {}, ` ${formatNumber(100 * probability, 0)} %`),
    ),
  ];
}

/** A square of numbers in grey, from its least to its largest. */
function drawn(
  values: Float32Array,
  side: number,
  { flip, alt }: { flip: boolean; alt: string },
): HTMLCanvasElement {
  const canvas = element('canvas', { width: side, height: side, role: 'img', 'aria-label': alt });
  const context = canvas.getContext('2d');
  if (!context) return canvas;
  const pixels = context.createImageData(side, side);
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  values.forEach((value, i) => {
    const row = Math.floor(i / side);
    const at = 4 * ((flip ? side - 1 - row : row) * side + (i % side));
    const level = (255 * (value - least)) / (most - least || 1);
    pixels.data.set([level, level, level, 255], at);
  });
  context.putImageData(pixels, 0, 0);
  return canvas;
}

let audio: AudioContext | undefined;

function playSound(samples: Float32Array): void {
  audio ??= new AudioContext();
  const buffer = audio.createBuffer(1, samples.length, RATE);
  // Noise may leave [−1, 1].
  const loudest = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
  buffer.copyToChannel(samples.map((value) => (0.8 * value) / loudest) as Float32Array<ArrayBuffer>, 0);
  const source = audio.createBufferSource();
  source.buffer = buffer;
  source.connect(audio.destination);
  void audio.resume();
  source.start();
}
