import type { ParameterScope } from '@g2d/fusion';
import type { Precision } from '@g2d/accelerate';
import type { StepDataset } from './step-datasets.js';

/** Options of one measurement, complete and possible. */
export interface StepSetup {
  readonly dataset: StepDataset;
  readonly batch: number;
  /** A key of `stepMethods`. */
  readonly method: string;
  readonly phase: 'prioritized' | 'joint';
  /** `'cached'`: outputs that lie ready; `'online'`: frozen models that run in every step. */
  readonly teachers: 'none' | 'cached' | 'online';
  /** Of the method, where they are not the usual ones. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Of the methods that modulate gradients. */
  readonly scope?: ParameterScope;
  /** The modality that trains in a prioritized phase. */
  readonly prioritized?: string;
  readonly precision: Precision;
  /** Of online teachers. */
  readonly teacherPrecision?: Precision;
  /** Steps that are timed. */
  readonly steps: number;
  /** Steps before them. */
  readonly warmup: number;
}
