import type { NumberArray } from '@g2d/formats/node';

/** What a sample has, besides its label. */
export type UrFunnyModality = 'audio' | 'visual' | 'text';
export const MODALITIES = ['audio', 'visual', 'text'] as const;

/** How many numbers that are not finite became 0. */
export interface Zeroed {
  minusInfinity: number;
  plusInfinity: number;
  nan: number;
}

/** One split: the rows of all samples under each other, word by word, the same words in each modality. */
export interface WordTable {
  readonly ids: readonly string[];
  readonly labels: Uint8Array;
  /** Sample i has the rows from `starts[i]` up to `starts[i + 1]`. */
  readonly starts: readonly number[];
  readonly values: Readonly<Record<UrFunnyModality, Float32Array>>;
  /** How many samples the files list, with those that are left out. */
  readonly listed: number;
  /** Reason → ids of the samples that are left out. */
  readonly dropped: Readonly<Record<string, readonly string[]>>;
  readonly zeroed: Readonly<Record<UrFunnyModality, Zeroed>>;
}

export type Widths = Readonly<Record<UrFunnyModality, number>>;

/** Which samples and words are taken, and how. */
export interface WordRules {
  /** At most so many words, the first ones. */
  readonly words: number;
  /** Leave out what sums to exactly 0, not only what is all zero; pad text with the first word's vector, not with zeros. */
  readonly official: boolean;
  /** From the first word with a text vector that is not zero on, or as many words for all with zeros before them. */
  readonly sequence: 'words' | 'padded';
  /** How many sentences before the punchline; only with `'padded'`. */
  readonly contextSentences: number;
}

const NO_TEXT = 'no text: all word vectors are zero';
const TEXT_SUMS_TO_ZERO = 'the word vectors sum to 0';

/**
 * Where a sample's words begin: at the first one whose text vector is not zero, since zeros before it are padding.
 *
 * @param text `[words, width]`, flat.
 * @returns The word, or the reason why the sample is left out.
 */
export function firstWord(text: ArrayLike<number>, width: number, official: boolean): number | string {
  let sum = 0;
  let first = -1;
  for (let i = 0; i < text.length; i++) {
    const value = text[i] as number;
    sum += value;
    // NaN and infinity become 0.
    if (first < 0 && value !== 0 && Number.isFinite(value)) first = Math.floor(i / width);
  }
  if (first < 0) return NO_TEXT;
  return official && sum === 0 ? TEXT_SUMS_TO_ZERO : first;
}

/** Copies numbers into float32; what is not finite becomes 0, and is counted. */
export function copyFinite(from: ArrayLike<number>, to: Float32Array, at: number, zeroed: Zeroed): void {
  for (let i = 0; i < from.length; i++) {
    const value = Math.fround(from[i] as number);
    if (Number.isFinite(value)) {
      to[at + i] = value;
      continue;
    }
    if (Number.isNaN(value)) zeroed.nan++;
    else if (value > 0) zeroed.plusInfinity++;
    else zeroed.minusInfinity++;
  }
}

export const noneZeroed = (): Zeroed => ({ minusInfinity: 0, plusInfinity: 0, nan: 0 });

/** Rows `start` to `end` of a flat `[N, width]`, without copying. */
export const rowsBetween = (values: NumberArray, start: number, end: number, width: number): NumberArray =>
  values.subarray(start * width, end * width);
