import type { ParameterScope } from '@g2d/fusion';
import type { Precision } from '@g2d/accelerate';
import type { StepDataset } from './step-datasets.js';

/** The ways of training that can be measured. */
export const stepMethods = ['joint', 'smp', 'g2d', 'umt', 'ogm', 'ogm-ge'] as const;

export type StepMethod = (typeof stepMethods)[number];

/** Options of one measurement, complete and possible. */
export interface StepSetup {
  readonly dataset: StepDataset;
  readonly batch: number;
  readonly method: StepMethod;
  readonly phase: 'prioritized' | 'joint';
  /** `'cached'`: outputs that lie ready; `'online'`: frozen models that run in every step. */
  readonly teachers: 'none' | 'cached' | 'online';
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
