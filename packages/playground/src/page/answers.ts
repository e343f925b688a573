// What the heads answer to the test pairs: counts of digits taken for others, and the pairs behind a count. No element of the page.
import type { Head, Predictions } from '../protocol.js';

export const DIGITS = 10;

/** `counts[true][answered]` */
export type Counts = readonly (readonly number[])[];

/** The digit that a head gives to a pair: the most probable one. */
export function answerTo({ probabilities }: Predictions, head: Head, pair: number): number {
  const row = probabilities[head].subarray(pair * DIGITS, (pair + 1) * DIGITS);
  return row.reduce((best, probability, digit) => (probability > (row[best] as number) ? digit : best), 0);
}

export function confusionOf(predictions: Predictions, head: Head): Counts {
  const counts = Array.from({ length: DIGITS }, () => Array.from<number>({ length: DIGITS }).fill(0));
  predictions.labels.forEach((label, pair) => {
    const row = counts[label] as number[];
    const answer = answerTo(predictions, head, pair);
    row[answer] = (row[answer] as number) + 1;
  });
  return counts;
}

/** The pairs behind a cell, in their order. */
export function pairsIn(
  predictions: Predictions,
  head: Head,
  { label, answer }: { readonly label: number; readonly answer: number },
): readonly number[] {
  return [...predictions.labels.keys()].filter(
    (pair) => predictions.labels[pair] === label && answerTo(predictions, head, pair) === answer,
  );
}

/** The cell off the diagonal with the most pairs; the diagonal's first digit if there is no mistake. */
export function largestMistake(counts: Counts): { readonly label: number; readonly answer: number } {
  let best = { label: 0, answer: 0, count: 0 };
  counts.forEach((row, label) =>
    row.forEach((count, answer) => {
      if (label !== answer && count > best.count) best = { label, answer, count };
    }),
  );
  return best;
}
