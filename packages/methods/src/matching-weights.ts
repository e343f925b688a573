/** What the two losses of DLMG are multiplied by. */
export interface MatchingWeights {
  readonly classification: number;
  readonly matching: number;
}

// Of the released script, fitted to what it had learned on CREMA-D.
const COEFFICIENTS = [
  2.04623704e-1, 3.35472727e-3, 1.22989557e-4, -2.92947416e-6, 2.23835486e-8, -5.39717505e-11,
];

/** How many epochs the polynomial was fitted for; what it gives after them means nothing. */
export const FITTED_EPOCHS = 200;

/**
 * The polynomial of the released script: classification Σ_i c_i e^i, matching what is left of 1, which is below 0 in epochs 178 to 189.
 *
 * @param epoch From 1; e is one less.
 * @example
 * fittedWeights(1).classification; // 0.204623704
 */
export function fittedWeights(epoch: number): MatchingWeights {
  const classification = COEFFICIENTS.reduce((sum, c, i) => sum + c * (epoch - 1) ** i, 0);
  return { classification, matching: 1 - classification };
}

/**
 * The paper's heuristic: matching 1 − exp(−1 / t), which falls, and classification what is left of 1.
 *
 * @param epoch t, from 1.
 */
export function heuristicWeights(epoch: number): MatchingWeights {
  return { matching: 1 - Math.exp(-1 / epoch), classification: Math.exp(-1 / epoch) };
}
