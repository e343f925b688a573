import { NO_PLATEAU, reducedRate, watchPlateau, type PlateauState } from '@g2d/tensor-ops';

/** Epochs in which the rate grows to the whole one. */
const WARM_UP_EPOCHS = 5;

/** The rate of the first epoch. */
export const FIRST_RATE = 0.001;

/** What the learning rates of MIS-ME depend on. */
export interface MisMeRates {
  /** Of the optimizer as it is set up. */
  readonly base: number;
  /** Of the validation losses after the warm-up. */
  readonly plateau: PlateauState;
}

export const beginRates = (base: number): MisMeRates => ({ base, plateau: NO_PLATEAU });

/**
 * The learning rate of the epoch after `epoch`: 0.001 in the first one, then base/5, 2 base/5, … base; from then on half of it after more than
 * two epochs whose validation loss was no better, by a ten-thousandth, than the best one since the warm-up.
 *
 * @param epoch From 1.
 * @param loss The fused head's on the validation split.
 */
export function nextRate(
  rates: MisMeRates,
  { epoch, loss }: { readonly epoch: number; readonly loss: number },
): { readonly rates: MisMeRates; readonly learningRate: number } {
  const { base } = rates;
  if (epoch <= WARM_UP_EPOCHS) return { rates, learningRate: (base * epoch) / WARM_UP_EPOCHS };
  const plateau = watchPlateau(rates.plateau, loss, { patience: 2 });
  return { rates: { base, plateau }, learningRate: reducedRate(base, plateau.reductions, { factor: 0.5 }) };
}
