import { OptionError, taskWords, type Training } from '@g2d/core';
import type { z } from 'zod';
import type { options } from './dlmg-options.js';
import type { Matching } from './matching-loss.js';
import { FITTED_EPOCHS } from './matching-weights.js';

/** @throws {OptionError} If the task, the epochs or the model are not what the options are for. */
export function assertTraining<M extends string>(
  { task, epochs, model: { parameters } }: Training<M>,
  { schedule, learning }: z.output<typeof options>,
  form: Matching['form'],
): void {
  const refuse = (problem: string, option: string, value: unknown, accepted: string): never => {
    throw new OptionError(problem, { option, value, accepted });
  };
  if (task !== 'classification' && form === 'divergence')
    refuse(
      `DLMG's \`matching: "divergence"\` compares probabilities of classes that exclude each other, which a ${taskWords(task)} has not. Set it to "contrastive".`,
      'matching',
      form,
      'contrastive',
    );
  if (schedule === 'fitted' && epochs > FITTED_EPOCHS)
    refuse(
      `DLMG's fitted weights are for ${FITTED_EPOCHS} epochs; the training has ${epochs}, and after these the polynomial means nothing. Train fewer, or take another \`schedule\`.`,
      'epochs',
      epochs,
      `at most ${FITTED_EPOCHS}`,
    );
  const parameter = learning?.parameter;
  const names = parameters.map(({ name }) => name);
  if (parameter !== undefined && !names.includes(parameter))
    refuse(
      `\`learning.parameter\` of DLMG is ${parameter}, which the model does not have.`,
      'learning.parameter',
      parameter,
      names.join(', '),
    );
}
