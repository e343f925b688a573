import { perModality, type Outputs, type Pass } from '@g2d/core';

/**
 * The model on inputs times mask: a missing input is zeros and encoded like any other, so that the fusion gets e_m(0) and no mask.
 *
 * In evaluation u_m is z of the same pass with the inputs of all other modalities 0. In training, where it is logged and nothing else, u_m is what the
 * fusion gives.
 */
export function maskedPass<M extends string>(pass: Pass<M>): Outputs<M> {
  const outputs = pass.forward({ missing: 'zero-input' });
  if (pass.training) return outputs;
  const { modalities } = pass.model;
  const alone = (m: M): readonly M[] => modalities.filter((other) => other !== m);
  return {
    ...outputs,
    unimodalLogits: perModality(
      modalities,
      (m) => pass.forward({ missing: 'zero-input', zeroInputs: alone(m) }).logits,
    ),
  };
}
