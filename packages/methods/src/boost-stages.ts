import type { Stage } from '@g2d/core';
import { BOOST_RATE } from './boost-fusion.js';
import { boostingLoss, boostOutputs, ensembleOutputs, previousIn, type BoostStage } from './boost-passes.js';

/** The run's settings without its schedule, which a phase of a few epochs does not have. */
const optimizerAt =
  (rate: number): NonNullable<Stage<string>['optimizer']> =>
  ({ schedule: _schedule, warmUp: _warmUp, ...run }) => ({ ...run, learningRate: run.learningRate * rate });

/** One modality learns what the others do not know: its encoder and the shared head. */
export function boostingStage<M extends string>(
  turn: BoostStage<M>,
  {
    rate,
    ...weights
  }: Pick<Parameters<typeof boostingLoss<M>>[2], 'weight1' | 'weight2' | 'alpha'> & { readonly rate: number },
): Omit<Stage<M>, 'epochs'> {
  const { t, order, reference, pretrained } = turn;
  const boosted = order[t % order.length] as M;
  const previous = previousIn(turn);
  const members = pretrained ? order : order.slice(0, t + 1);
  return {
    name: `${t + 1}: boosting ${boosted}`,
    optimizer: optimizerAt(rate),
    plan: () => ({
      coefficient: ({ name, role, modality }) =>
        (role === 'shared' && name !== BOOST_RATE) || (role !== 'head' && modality === boosted) ? 1 : null,
      inference: (m) => reference === 'paper' && m !== boosted,
    }),
    forward: (pass) =>
      pass.training ? boostOutputs(pass, turn, boosted) : ensembleOutputs(pass, turn, members),
    loss: (outputs, step) => boostingLoss(outputs, step, { ...weights, reference, boosted, previous }),
  };
}

/** All in the ensemble learn together: their encoders, the shared head and b. */
export function rectifyingStage<M extends string>(
  turn: BoostStage<M>,
  { rate }: { readonly rate: number },
): Omit<Stage<M>, 'epochs'> {
  const { t, order, pretrained } = turn;
  const members = pretrained ? order : order.slice(0, t + 1);
  return {
    name: `${t + 1}: rectifying`,
    optimizer: optimizerAt(rate),
    plan: () => ({
      coefficient: ({ role, modality }) =>
        role === 'shared' || (role !== 'head' && members.includes(modality as M)) ? 1 : null,
    }),
    forward: (pass) => ensembleOutputs(pass, turn, members),
    loss: ({ logits }, step) => ({ total: step.taskLoss(logits) }),
  };
}
