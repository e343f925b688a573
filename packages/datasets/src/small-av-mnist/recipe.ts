import type { Split } from '@g2d/core';

/** Everything that decides what the small set looks like. Raise `RECIPE_VERSION` with any change of the numbers. */
export const RECIPE_VERSION = 1;

export type Draw = 'main' | 'second';

export const SPLITS: readonly Split[] = ['train', 'validation', 'test'];

interface Range {
  readonly start: number;
  readonly count: number;
}

interface DrawRanges extends Readonly<Record<Split, Range>> {
  /** Which MNIST train images the principal components are computed from. */
  readonly components: Range;
}

/** Rows of the MNIST files: the train file for train and validation, the test file for test. */
export const IMAGE_RANGES: Readonly<Record<Draw, DrawRanges>> = {
  main: {
    train: { start: 0, count: 1000 },
    validation: { start: 19_000, count: 1000 },
    test: { start: 0, count: 2000 },
    components: { start: 0, count: 2000 },
  },
  second: {
    train: { start: 4000, count: 1000 },
    validation: { start: 15_000, count: 1000 },
    test: { start: 4000, count: 2000 },
    components: { start: 4000, count: 1000 },
  },
};

export const VALIDATION_ROWS = 1000;

/** Spoken-digit takes of each split, first and last. FSDD itself keeps takes 0-4 for its test split. */
export const TAKES: Readonly<Record<Split, readonly [number, number]>> = {
  train: [10, 49],
  validation: [5, 9],
  test: [0, 4],
};

export const SAMPLE_RATE = 8000;
/** Noise quieter than this (root mean square) is drawn again: some clips are mostly digital silence. */
export const SILENCE = 1e-3;
export const SPECTROGRAM = { frames: 56, frameLength: 128, bins: 56, rangeDecibels: 60 } as const;
