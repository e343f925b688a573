import * as tf from '@tensorflow/tfjs-core';
import type { MultimodalModel } from '@g2d/fusion';
import { perModality, type Model, type PerModality } from '@g2d/core';
import { deriveSeed, randomStream } from '@g2d/tensor-ops';
import { type Precision } from '@g2d/accelerate';
import { frozenTeachers, type FrozenTeachers } from '@g2d/trainer';

/** The batch that teachers judge, and who is to be the least confident of them. */
interface Judgement {
  readonly modalities: readonly string[];
  /** Class ids of the batch, or targets in (0, 1). */
  readonly labels: readonly number[];
  /** 1: a regression. */
  readonly classes: number;
  readonly prioritized: string;
}

/** Confidence of a teacher that is sure: softmax of this for one class and 0 for others. */
const SURE = 8;

/**
 * Logits with a known ranking, so that every step of a measurement prioritizes the same modality: its teacher finds all
 * classes alike (or is wrong about every target), the others are sure of the true one.
 */
function rankedLogits({ labels, classes, prioritized }: Judgement, modality: string): tf.Tensor2D {
  const values = new Float32Array(labels.length * classes);
  if (classes === 1) {
    // The logit of the target, or one far from all of them.
    labels.forEach((target, i) => {
      values[i] = modality === prioritized ? -SURE : Math.log(target / (1 - target));
    });
  } else if (modality !== prioritized) {
    labels.forEach((label, i) => {
      values[i * classes + label] = SURE;
    });
  }
  return tf.tensor2d(values, [labels.length, classes]);
}

/**
 * Outputs that were computed before, as from a cache: each step gets its tensors from memory.
 *
 * @param widths D_m of each modality.
 * @param full A model of all modalities, where a method has a teacher that has all.
 */
export function cachedTeachers(
  judgement: Judgement,
  widths: PerModality<string, number>,
  full?: Model<string>,
): FrozenTeachers<string> {
  const { modalities, labels } = judgement;
  const features = perModality(modalities, (modality) => {
    const { uniform } = randomStream(deriveSeed(0, `teacher/${modality}`));
    return Float32Array.from({ length: labels.length * (widths[modality] as number) }, uniform);
  });
  const stored = perModality(modalities, (modality) => ({
    rows: () => ({
      logits: rankedLogits(judgement, modality),
      features: tf.tensor2d(features[modality] as Float32Array, [labels.length, widths[modality] as number]),
    }),
    close: () => {},
  }));
  return frozenTeachers<never, string>({}, { stored, ...(full && { full }) });
}

/** Frozen models that run in every step. Only their logits are exchanged: nobody has trained them. */
export function onlineTeachers(
  judgement: Judgement,
  models: Readonly<Record<string, MultimodalModel<string>>>,
  options: { readonly precision?: Precision; readonly full?: Model<string> },
): FrozenTeachers<string> {
  const teachers = frozenTeachers<string>(models, options);
  const { outputs: judge } = teachers;
  return Object.assign(teachers, {
    outputs: (batch: Parameters<typeof judge>[0]) =>
      tf.tidy(() => {
        const outputs = judge(batch);
        return perModality(judgement.modalities, (modality) => ({
          logits: rankedLogits(judgement, modality),
          features: outputs[modality]?.features as tf.Tensor2D,
        }));
      }),
  });
}
