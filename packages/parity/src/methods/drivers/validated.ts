// What the cases of MSES and MSLR have in common: both decide on the validation split after each epoch.
import { z } from 'zod';
import { list, number, object, oneOf, text } from '../../strict-json.js';
import { count, epoch, epochWindow, trainStep } from '../method-case.js';

export const validatedOptions = {
  dataset: oneOf('AV-MNIST', 'CREMA-D', 'UR-Funny'),
  epochs: count,
  window: epochWindow,
  trainBatches: list(text),
  validationBatches: list(text),
};

export const validatedSteps = z.discriminatedUnion('do', [
  object(trainStep),
  object({ do: z.literal('validate'), epoch, batches: list(text) }),
]);

const schedule = object({ every: count, ratio: number({ above: 0 }) });

/** The rate is what our own schedule makes of it; the case's tells whether that is right. */
export function validatedSettings(optimizer: object, epochs: number) {
  const { every, ratio } = schedule.parse((optimizer as { readonly schedule?: unknown }).schedule);
  return { epochs, optimizer: { schedule: { type: 'step', every, ratio } } } as const;
}
