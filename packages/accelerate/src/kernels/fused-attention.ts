import * as tf from '@tensorflow/tfjs-core';
import {
  attribute,
  defineKernel,
  disposeSaved,
  execute,
  hasOperation,
  runKernel,
} from '@g2d/tensor-ops/tensorflow';
import { drawOf, factorAttribute } from './dropout.js';
import { maskGradientOf, type AttentionAttributes } from './plain-attention.js';

// The core of attention as `@g2d/native` adds it to TensorFlow: a head of a sample at a time, without transposes, and with nothing kept for
// the gradient, which computes the weights again.
const OPERATION = 'G2dV2Attention';
const KERNEL = 'G2dFusedAttention';

interface AttentionInputs {
  /** `[B, T, 3·H·d]`. */
  readonly projected: tf.Tensor;
  /** `[B, 1, T]`. */
  readonly mask?: tf.Tensor;
}

const run = (
  operation: string,
  { heads, scale, dropout }: Pick<AttentionAttributes, 'heads' | 'scale' | 'dropout'>,
  operands: readonly tf.Tensor[],
): tf.Tensor =>
  execute(
    operation,
    [attribute.integers('heads', [heads]), attribute.float('scale', scale), factorAttribute(dropout)],
    operands,
  );

const none = (): tf.Tensor => tf.tensor1d([], 'float32');

/** Registers the kernel and its gradient for the `tensorflow` backend. */
export function registerFusedAttention(): void {
  defineKernel<AttentionAttributes>({
    name: KERNEL,
    inputsToSave: ['projected'],
    // The mask, empty without one, and what dropout is drawn from.
    outputsToSave: [false, true, true],
    forward: ({ projected, mask }, attributes) => {
      const added = mask ? tf.clone(mask) : none();
      const draw = drawOf(attributes.dropout, attributes.seeds, attributes.part);
      return [run(OPERATION, attributes, [projected as tf.Tensor, added, draw]), added, draw];
    },
    gradient: ([dy], saved, attributes) => {
      const [projected, mask, draw] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
      return {
        projected: () => run(`${OPERATION}Grad`, attributes, [projected, mask, draw, dy as tf.Tensor]),
        mask: () => maskGradientOf(dy as tf.Tensor, projected, mask, attributes),
      };
    },
  });
}

/** Whether the operation is there, and computes this: at least one value, and a mask for all heads alike. */
export function canFuseAttention(
  { projected, mask }: AttentionInputs,
  { heads }: Pick<AttentionAttributes, 'heads'>,
): boolean {
  const [batch, time] = projected.shape;
  const fits =
    projected.rank === 3 && projected.size > 0 && (projected.shape[2] as number) % (3 * heads) === 0;
  const masks = !mask || (mask.dtype === 'float32' && mask.shape.join() === [batch, 1, time].join());
  return fits && projected.dtype === 'float32' && masks && hasOperation(OPERATION, attempt);
}

const attempt = (): unknown =>
  run(OPERATION, { heads: 1, scale: 1, dropout: 0 }, [tf.ones([1, 1, 3]), none(), drawOf(0, [])]);

/** See `attention`. */
export function fusedAttention(inputs: AttentionInputs, attributes: AttentionAttributes): tf.Tensor {
  const [y, ...kept] = runKernel<tf.Tensor[]>(KERNEL, { ...inputs }, attributes) as [
    tf.Tensor,
    ...tf.Tensor[],
  ];
  disposeSaved(kept);
  return y;
}
