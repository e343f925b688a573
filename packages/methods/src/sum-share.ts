import type { Step } from '@g2d/core';
import { valuesOf } from '@g2d/tensor-ops';

/**
 * What a sum over the samples of the batch, in a loss, is multiplied by, so that the loss is a sum over all samples: of all processes, and of all
 * parts of an accumulated batch, whose mean the loop takes. 1 where there is nothing else.
 */
export function sumShare<M extends string>(step: Step<M>): number {
  const { batch, model, presentSamples } = step;
  const own = (m: M): number => {
    const mask = valuesOf(batch.present?.[m]);
    return mask ? mask.filter((value) => value > 0).length : batch.ids.length;
  };
  // Mean and number of the samples that have a modality, whichever: share(m) = terms · own / all.
  const m = model.modalities.find((name) => own(name) > 0);
  return m === undefined ? 1 : (step.share(m) * presentSamples[m]) / own(m);
}
