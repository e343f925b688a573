import { z } from 'zod';
import {
  numberSchema,
  numbersSchema,
  passesSchema,
  splitMetricsSchema,
  textSchema,
  type Immutable,
} from './values.js';

const known = {
  /** Counts from 1. */
  epoch: numberSchema,
  /** `total` and its parts, for example `student`, `feature` and `logit`. */
  loss: numbersSchema,
  train: numbersSchema,
  learningRate: numberSchema.exactOptional(),
  seconds: numberSchema.exactOptional(),
  memoryMB: numberSchema.exactOptional(),
  /** Batches that batch normalization could not be trained on: one sample alone had a modality. */
  skippedSteps: numberSchema.exactOptional(),
  /** Of the encoders in the epoch's steps. */
  passes: passesSchema.exactOptional(),
  /** Of a method with stages. */
  stage: textSchema.exactOptional(),
  /** Only on epochs that were evaluated. */
  validation: numbersSchema.exactOptional(),
  /** Only on epochs that were evaluated. */
  test: numbersSchema.exactOptional(),
  /** ρ in [0, 1], mean over the epoch (Eq. 5). */
  confidence: numbersSchema.exactOptional(),
  /** The 10 % quantile of ρ over the epoch's batches. */
  confidenceLow: numbersSchema.exactOptional(),
  /** The 90 % quantile. */
  confidenceHigh: numbersSchema.exactOptional(),
  /** In which share of the epoch's batches each modality was the least confident, in [0, 1]. */
  leastConfident: numbersSchema.exactOptional(),
  /** κ in [0, 1], mean over the epoch's batches (Eq. 7). */
  coefficients: numbersSchema.exactOptional(),
  metrics: splitMetricsSchema.exactOptional(),
};

const knownSchema = z.object(known);

/**
 * One line of `metrics.jsonl`. What a method records under a name of its own becomes one of `series` if it is an object of numbers,
 * and is left out otherwise: `stopped`, too, is a series of one method and a flag of the loop.
 */
export const epochMetricsSchema = knownSchema.catchall(z.unknown()).transform((line) => {
  const own = Object.entries(line).flatMap(([key, value]) => {
    const series = Object.hasOwn(known, key) ? undefined : numbersSchema.safeParse(value).data;
    return series ? [[key, series] as const] : [];
  });
  const all = Object.fromEntries(Object.entries(line).filter(([key]) => Object.hasOwn(known, key)));
  return {
    ...(all as z.output<typeof knownSchema>),
    ...(own.length > 0 && { series: Object.fromEntries(own) }),
  } as z.output<typeof knownSchema> & { readonly series?: Record<string, Record<string, number>> };
});

/** One line of `metrics.jsonl` as it is read. A number that was not finite when it was written is absent. */
export type EpochMetrics = Immutable<z.output<typeof epochMetricsSchema>>;
