import { ensembleLogits, type EnsembleLogitsOptions } from '@g2d/distill';
import { checkKeys, perModality, type Teachers } from '@g2d/core';
import type { Predictor } from './evaluate.js';

/**
 * UME: the teachers together, without any joint training. The fused logits are their average.
 *
 * @param options `average`: of logits (default) or of probabilities. `task`: default `'classification'`. `output`: of a regression, as it was trained.
 * @example
 * const { accuracy } = await evaluate(teacherEnsemble(teachers), test);
 * @see Du et al., On Uni-Modal Feature Learning in Supervised Multi-Modal Learning (2023)
 */
export function teacherEnsemble<M extends string>(
  teachers: Pick<Teachers<M>, 'modalities' | 'outputs'>,
  options: Pick<EnsembleLogitsOptions<M>, 'average' | 'task' | 'output'> = {},
): Predictor<M> {
  const {
    average = 'logits',
    task = 'classification',
    output,
  } = checkKeys(options, { average: true, task: true, output: true }, 'teacherEnsemble');
  return (batch) => {
    const masks = teachers.modalities.flatMap((modality) => {
      const mask = batch.present?.[modality];
      return mask ? [[modality, mask]] : [];
    });
    const present = Object.fromEntries(masks) as NonNullable<typeof batch.present>;
    const outputs = teachers.outputs(batch);
    const unimodalLogits = perModality(teachers.modalities, (modality) => outputs[modality].logits);
    const logits = ensembleLogits(unimodalLogits, {
      average,
      task,
      output,
      ...(masks.length > 0 && { present }),
    });
    return { logits, unimodalLogits };
  };
}
