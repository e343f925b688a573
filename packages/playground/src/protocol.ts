// What the page and its worker say to each other.
import type { CatalogMethod } from './catalog.js';
import type { Settings } from './settings.js';
import type { Modality } from './training/names.js';

/** Heads of the student: both modalities together, and each alone. */
export const HEADS = ['fused', 'audio', 'image'] as const;
export type Head = (typeof HEADS)[number];

export type ByModality<T> = Readonly<Record<Modality, T>>;
export type ByHead<T> = Readonly<Record<Head, T>>;

/** What a backend came to when it was tried. */
export interface BackendTrial {
  readonly backend: 'webgpu' | 'webgl' | 'wasm' | 'cpu';
  /** Of WebAssembly. */
  readonly threads?: number;
  /** Of one training step; absent if it was not measured. */
  readonly milliseconds?: number;
  /** Why it is not measured, in words. */
  readonly problem?: string;
}

/** Where the training runs, and why. */
export interface BackendReport {
  readonly chosen: BackendTrial;
  readonly trials: readonly BackendTrial[];
  /** Whether WebAssembly has vectors here. */
  readonly simd: boolean;
  /** A sentence for each thing that the chosen backend lacks here. */
  readonly problems: readonly string[];
}

/** What the teachers come to. */
export interface TeacherReport {
  /** Percent of the test pairs. */
  readonly accuracy: ByModality<number>;
  /** Mean probability of the true digit on the training pairs (ρ, Eq. 5). */
  readonly confidence: ByModality<number>;
  /** Percent, of the mean of their logits. */
  readonly mean: number;
}

/** An epoch, as the page shows it. */
export interface EpochReport {
  readonly epoch: number;
  readonly seconds: number;
  /** Percent of the test pairs that are looked at after each epoch. */
  readonly accuracy: ByHead<number>;
  /** Percent of the training pairs, as they were trained on. */
  readonly train: ByHead<number>;
  /** The task's own part of the loss. */
  readonly loss: number;
  /** κ, mean over the epoch's steps; absent where the method has none. */
  readonly coefficients?: ByModality<number>;
  /** ρ of the batches, of methods that look at it. */
  readonly confidence?: ByModality<number>;
}

/** Predictions for the test pairs that are looked at, `[pairs, 10]` by head: probabilities. */
export interface Predictions {
  readonly labels: Uint8Array;
  readonly probabilities: ByHead<Float32Array>;
}

/** One test pair, to see and hear. */
export interface ShownSample {
  readonly index: number;
  readonly label: number;
  /** `[28, 28]` */
  readonly image: Float32Array;
  /** `[56, 56]`, 0 to 1; row 0 is the lowest frequency. */
  readonly spectrogram: Float32Array;
  /** 8,000 Hz */
  readonly sound: Float32Array;
}

/** To the worker. */
export type Order =
  | {
      readonly type: 'start';
      readonly settings: Settings;
      readonly method: CatalogMethod;
      /** Of WebAssembly. */
      readonly threads: number;
      /** Where the files of data and teachers lie. */
      readonly base: string;
      readonly paused: boolean;
    }
  | { readonly type: 'pause' | 'resume' | 'epoch' }
  | { readonly type: 'samples'; readonly indices: readonly number[] };

/** From the worker. */
export type News =
  | { readonly type: 'progress'; readonly text: string; readonly share?: number }
  | { readonly type: 'backend'; readonly report: BackendReport }
  | { readonly type: 'teachers'; readonly report: TeacherReport }
  | { readonly type: 'step'; readonly epoch: number; readonly step: number; readonly steps: number }
  | { readonly type: 'epoch'; readonly report: EpochReport; readonly predictions: Predictions }
  | { readonly type: 'samples'; readonly samples: readonly ShownSample[] }
  /** Trained to the end; `accuracy` of all test pairs. */
  | { readonly type: 'finished'; readonly accuracy: ByHead<number>; readonly seconds: number }
  /** Something is worth a sentence, and the training goes on. */
  | { readonly type: 'note'; readonly text: string }
  | { readonly type: 'failed'; readonly text: string };
