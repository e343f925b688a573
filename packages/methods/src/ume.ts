import type { EnsembleLogitsOptions } from '@g2d/distill';
import { OptionError } from '@g2d/core';
import { type Method, teacherEnsemble } from '@g2d/trainer';

/** Settings of `ume`. */
export interface UmeOptions {
  /** What is averaged: the teachers' logits (default) or their predictions. */
  readonly average?: NonNullable<EnsembleLogitsOptions<string>['average']>;
}

const ACCEPTED = ['logits', 'probabilities'];

/**
 * UME as a method: the teachers together are the model, and nothing trains.
 *
 * A training with it has 0 epochs; its predictions are those of `teacherEnsemble`, for the training's task.
 *
 * @throws {OptionError} If `average` is another; in `onTrainStart`, if the training has an epoch: its steps would change a model that
 * nothing predicts with.
 * @example
 * await train({ model, methods: [ume()], teachers, epochs: 0, … });
 * @see Du et al., On Uni-Modal Feature Learning in Supervised Multi-Modal Learning (2023); G2D, Sec. 4
 */
export function ume<M extends string>({ average = 'logits' }: UmeOptions = {}): Method<M> {
  if (!ACCEPTED.includes(average)) {
    throw new OptionError(`\`average\` is "${String(average)}"; it must be one of ${ACCEPTED.join(', ')}.`, {
      option: 'average',
      value: average,
      accepted: ACCEPTED.join(', '),
    });
  }
  return {
    name: 'ume',
    teachers: 'unimodal',
    onTrainStart({ epochs }) {
      if (epochs === 0) return;
      throw new OptionError(
        `UME averages the teachers and trains nothing, but the training has ${epochs} epochs. Set \`epochs\` to 0.`,
        { option: 'epochs', value: epochs, accepted: '0' },
      );
    },
    predict: ({ frozenTeachers, task }, batch) => teacherEnsemble(frozenTeachers, { average, task })(batch),
  };
}
