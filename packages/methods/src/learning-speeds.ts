import type { Gradients } from '@g2d/core';
import { readTogether } from '@g2d/tensor-ops';
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
  const ratio = (isPart: (name: string, of: M | undefined) => boolean): tf.Tensor => {
    const part = gradients.filter(({ parameter }) => isPart(parameter.name, parameter.modality));
    const sum = (tensors: readonly tf.Tensor[]): tf.Tensor =>
      tf.addN([tf.scalar(0), ...tensors.map((tensor) => tf.sum(tf.square(tensor)))]);
    const gradient = sum(part.flatMap(({ tensor }) => tensor ?? []));
    return tf.div(gradient, sum(part.map(({ parameter }) => parameter.variable)));
  };
  const isContext = (name: string): boolean =>
    name.startsWith('fusion/squeeze/') || name.startsWith(`fusion/excite/${modality}/`);
  const moved = { own: NaN, context: NaN };
  tf.tidy(() => {
    const [own, context] = readTogether([
      ratio((name, of) => of === modality && !isContext(name)),
      ratio(isContext),
    ]) as [Float32Array, Float32Array];
    [moved.own, moved.context] = [own[0] as number, context[0] as number];
  });
  return Number.isFinite(moved.own) && Number.isFinite(moved.context) ? moved : undefined;
}

/** s_m = log10(Σ context / Σ own); NaN where nothing has moved yet. */
export const learningSpeed = ({ own, context }: Moved): number =>
  own > 0 && context > 0 ? Math.log10(context / own) : NaN;
