import * as tf from '@tensorflow/tfjs-core';
import { withPlainKernels } from './plain-kernels.js';
import { registerSecondGradients } from './second-gradients.js';

/**
 * The Hessian of a loss by some variables, times a direction: H v. Exact: the gradients are differentiated once more.
 *
 * The loss runs on TensorFlow.js's own operations alone, since on the `tensorflow` backend those of ours cannot be differentiated twice: the
 * same numbers up to rounding, at plain speed. `crossEntropy` and models of `accelerate` take part. Convolution, pooling, normalization,
 * recurrent layers and what they are made of have second derivatives; depthwise and three-dimensional convolution have none.
 *
 * @param loss Runs the passes; it is called once.
 * @param direction v, one for each variable and of its shape; `null` for zeros.
 * @returns By the variables' names, `null` where no second derivative reaches one; dispose them.
 * @throws What TensorFlow.js throws for an operation whose gradient has none; it names the operation.
 * @example
 * const product = hessianProduct(() => crossEntropy(labels, model.apply(x)), [kernel], [tf.onesLike(kernel)]);
 */
export function hessianProduct(
  loss: () => tf.Scalar,
  variables: readonly tf.Variable[],
  direction: readonly (tf.Tensor | null)[],
): Readonly<Record<string, tf.Tensor | null>> {
  registerSecondGradients();
  const differentiate = (of: () => tf.Scalar) =>
    // No variable has to be reached.
    tf.engine().gradients(of, [...variables], undefined, true).grads as readonly (tf.Tensor | undefined)[];
  const found = tf.tidy(() => {
    const second = withPlainKernels(() =>
      differentiate(() => {
        const products = differentiate(loss).flatMap((gradient, i) => {
          const along = direction[i];
          return gradient && along ? [tf.sum(tf.mul(gradient, along))] : [];
        });
        sortTape();
        return (products.length > 0 ? tf.addN(products) : tf.scalar(0)) as tf.Scalar;
      }),
    );
    return Object.fromEntries(variables.flatMap(({ name }, i) => (second[i] ? [[name, second[i]]] : [])));
  });
  return Object.fromEntries(variables.map(({ name }) => [name, found[name] ?? null]));
}

interface TapeNode {
  readonly inputs: Readonly<Record<string, tf.Tensor>>;
  readonly outputs: readonly tf.Tensor[];
}

/**
 * Puts what is recorded behind what it is made from. TensorFlow.js records the copy of an output that a gradient needs before the operation
 * itself, as for softmax, tanh and sigmoid, and then takes it for a constant: second derivatives would lack a part, in silence.
 */
function sortTape(): void {
  const { activeTape } = tf.engine().state as unknown as { readonly activeTape: TapeNode[] };
  const makers = new Map(activeTape.flatMap((node) => node.outputs.map(({ id }) => [id, node])));
  const sorted = new Set<TapeNode>();
  const seen = new Set<TapeNode>();
  const visit = (node: TapeNode): void => {
    if (seen.has(node)) return;
    seen.add(node);
    for (const { id } of Object.values(node.inputs)) {
      const maker = makers.get(id);
      if (maker) visit(maker);
    }
    sorted.add(node);
  };
  activeTape.forEach(visit);
  activeTape.splice(0, activeTape.length, ...sorted);
}
