import { OptionError } from '@g2d/core';
import { z } from 'zod';

/** Options that several methods have. */

/** One weight for all modalities, or one for each. */
export const weightOption = z.union([z.number().min(0), z.record(z.string(), z.number().min(0))]);

/** The weight of a modality. */
export const weightOf = (weights: z.output<typeof weightOption>, modality: string): number =>
  typeof weights === 'number' ? weights : (weights[modality] as number);

/** First and last epoch, both inside, counted from 1. */
export const windowOption = z
  .tuple([z.int().min(1), z.int().min(1)])
  .refine(([first, last]) => first <= last, { error: '[first, last], both counted from 1' })
  .readonly();

/** The one switch where a paper and the code that was released for it differ. */
export const referenceOption = z.enum(['paper', 'official']).default('paper');

export const isInside = (epoch: number, [first, last]: readonly [number, number]): boolean =>
  first <= epoch && epoch <= last;

/** @throws {OptionError} Unless names are a model's modalities, each once. */
export function assertEach(
  names: readonly string[],
  {
    option,
    method,
    modalities,
  }: { readonly option: string; readonly method: string; readonly modalities: readonly string[] },
): void {
  if ([...names].sort().join() === [...modalities].sort().join()) return;
  throw new OptionError(
    `\`${option}\` of ${method} has ${names.join(', ') || 'nothing'}; it must have each of ${modalities.join(', ')} once.`,
    { option, value: names, accepted: modalities.join(', ') },
  );
}
