import { deriveSeed, randomStream } from '@g2d/tensor-ops';
import { noiseGain, rootMeanSquare } from '../transforms/mix-noise.js';
import type { Split } from '@g2d/core';
import { IMAGE_RANGES, SILENCE, type Draw } from './recipe.js';
import { isTakeOf, type Recording, type Sources } from './sources.js';

/** What one row was made from. */
export interface SmallAvMnistPair {
  readonly digit: number;
  /** Row of the picture in its MNIST file: the train file for train and validation, else the test file. */
  readonly image: number;
  /** FSDD recording, `{digit}_{speaker}_{take}`. */
  readonly recording: string;
  /** ESC-10 clip. */
  readonly clip: string;
  /** First sample of the noise in the clip. */
  readonly offset: number;
  /** Factor of the noise. */
  readonly gain: number;
}

/**
 * Pairs each picture of a split with a recording of the same digit and a piece of noise.
 *
 * Per digit, recordings are taken from a random permutation, made anew when it is used up. Noise is a random clip of
 * the split from a random offset, drawn again while it is silent.
 */
export function drawPairs(
  split: Split,
  sources: Sources,
  {
    draw,
    drawSeed,
    signalToNoise,
  }: { readonly draw: Draw; readonly drawSeed: number; readonly signalToNoise: number },
): SmallAvMnistPair[] {
  const stream = (name: string) =>
    randomStream(deriveSeed(drawSeed, `small-av-mnist/${draw}/${split}/${name}`));
  const { start, count } = IMAGE_RANGES[draw][split];
  const { labels } = split === 'test' ? sources.testDigits : sources.trainDigits;
  const next = Array.from({ length: 10 }, (_, digit) =>
    inTurn(
      sources.recordings.filter((recording) => recording.digit === digit && isTakeOf(split, recording)),
      stream(`recordings-${digit}`),
    ),
  );
  const noise = stream('noise');
  const clips = sources.clips[split];

  return Array.from({ length: count }, (_, i) => {
    const image = start + i;
    const digit = labels[image] as number;
    const recording = (next[digit] as () => Recording)();
    const length = recording.samples.length;
    for (;;) {
      const clip = clips[noise.integer(clips.length)] as (typeof clips)[number];
      const offset = noise.integer(clip.samples.length - length + 1);
      const piece = clip.samples.subarray(offset, offset + length);
      if (rootMeanSquare(piece) <= SILENCE) continue;
      const gain = noiseGain(recording.samples, piece, signalToNoise);
      return { digit, image, recording: recording.name, clip: clip.name, offset, gain };
    }
  });
}

/** Walks through a random permutation of the items, and through another one when it is used up. */
function inTurn<T>(items: readonly T[], random: ReturnType<typeof randomStream>): () => T {
  let order = new Uint32Array(0);
  let at = 0;
  return () => {
    if (at === order.length) {
      order = Uint32Array.from(random.permutation(items.length));
      at = 0;
    }
    return items[order[at++] as number] as T;
  };
}
