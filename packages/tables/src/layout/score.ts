import type { Metric } from '../data/paper-values.js';

/** A number of a table: of which runs, and which of their scores. */
export interface Score {
  /** The folder of `examples` that the runs begin with. */
  readonly dataset: string;
  /** `teacher`, or a method; absent where the case alone says it. */
  readonly method?: string;
  readonly case?: string;
  /** `fused`, or a modality. */
  readonly head: string;
  readonly metric: Metric;
}

/** One text for each score. */
export const scoreKey = ({ dataset, method = '', case: name = '', head, metric }: Score): string =>
  [dataset, method, name, head, metric].join(' | ');

/** Of an error less is better. */
export const isError = ({ metric }: Pick<Score, 'metric'>): boolean => metric === 'mape';
