import type { Gradients } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';

/** Σ over steps of ‖∇‖² / ‖θ‖², of what a modality has for itself and of what it learns from the others with. */
export interface Moved {
  /** Its encoder and head. */
  readonly own: number;
  /** What makes its excitation. */
  readonly context: number;
}

/**
 * ‖∇‖² / ‖θ‖² of a step.
 *
 * @returns `undefined` where one of them is no number.
 */
export function movedBy<M extends string>(gradients: Gradients<M>, modality: M): Moved | undefined {
  const ratio = (isPart: (name: string, of: M | undefined) => boolean): number => {
    const part = gradients.filter(({ parameter }) => isPart(parameter.name, parameter.modality));
    return tf.tidy(() => {
      const sum = (tensors: readonly tf.Tensor[]): tf.Tensor =>
        tf.addN([tf.scalar(0), ...tensors.map((tensor) => tf.sum(tf.square(tensor)))]);
      const gradient = sum(part.flatMap(({ tensor }) => tensor ?? []));
      const [value] = tf.div(gradient, sum(part.map(({ parameter }) => parameter.variable))).dataSync();
      return value as never;
    });
  };
  const isContext = (name: string): boolean =>
    name.startsWith('fusion/squeeze/') || name.startsWith(`fusion/excite/${modality}/`);
  const moved = {
    own: ratio((name, of) => of === modality && !isContext(name)),
    context: ratio(isContext),
  };
  return Number.isFinite(moved.own) && Number.isFinite(moved.context) ? moved : undefined;
}

/** s_m = log10(Σ context / Σ own); NaN where nothing has moved yet. */
export const learningSpeed = ({ own, context }: Moved): number =>
  own > 0 && context > 0 ? Math.log10(context / own) : NaN;
