import { modalityInScope, type ParameterScope } from '@g2d/fusion';
import { perModality, type NamedGradient, type PerModality } from '@g2d/tensor-ops';
import { modalityConfidence, SequentialModalityPrioritization, type SmpOptions } from '@g2d/smp';
import type { Method } from '../method.js';

/** Which variables of a suppressed modality lose their gradient. */
export type SuppressionScope = ParameterScope;

/** Settings of `modalityPrioritization`. */
export interface PrioritizationOptions {
  /** τ_1 … τ_k in epochs; the last one is the joint phase. */
  readonly phaseEpochs: readonly number[];
  /**
   * `'conv'` (default): convolution kernels only, as the released code does; normalization and heads go on.
   * `'encoder'`: all of θ_m, as Eq. 8 is written. `'encoder+head'`: the modality's classifier too.
   */
  readonly scope?: SuppressionScope;
  /** What κ = 0 means. Default `'zero'`; see `@g2d/smp`. */
  readonly suppression?: SmpOptions<string>['suppression'];
}

/**
 * Sequential modality prioritization on any loss: in each step of a phase, the teachers' confidence on the batch
 * decides which modality trains.
 *
 * @throws {OptionError} In `onTrainStart`, if the scope contains no variable of some modality: training would
 * silently be plain joint training.
 * @see G2D, Sec. 3.2, Eq. 5 to 8, Alg. 1
 */
export function modalityPrioritization<M extends string>({
  phaseEpochs,
  scope = 'conv',
  suppression = 'zero',
}: PrioritizationOptions): Method<M> {
  let smp: SequentialModalityPrioritization<M>;
  let confidence: PerModality<M, number>;
  return {
    name: 'smp',
    teachers: 'unimodal',
    onTrainStart({ model }) {
      smp = new SequentialModalityPrioritization({
        modalities: model.modalities,
        modalityOf: modalityInScope(model, scope),
        phaseEpochs,
        suppression,
      });
    },
    onStepStart({ epoch, model, batch, teachers }) {
      confidence = perModality(model.modalities, (modality) => {
        const rho = modalityConfidence(batch.labels, teachers[modality].logits);
        return rho.dataSync()[0] as number;
      });
      smp.update({ epoch, confidence });
    },
    activeVariables: (variables) => smp.activeVariables(variables),
    afterBackward: (gradients, { model }) => smp.modulate(toMap(gradients), model.variables),
    stepLog: () => ({ confidence, coefficients: smp.coefficients }),
  };
}

const toMap = (gradients: readonly NamedGradient[]) =>
  Object.fromEntries(gradients.flatMap(({ name, tensor }) => (tensor ? [[name, tensor]] : [])));
