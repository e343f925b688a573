import * as tf from '@tensorflow/tfjs-core';
import { checkKeys, G2DError } from '@g2d/core';
import { TENSORFLOW } from './operations.js';

/** A kernel of the `tensorflow` backend with its gradient. */
export interface KernelDefinition<Attributes> {
  /** Unique in the process, for example `G2dConv2D`. */
  readonly name: string;
  /** Names of the inputs that the gradient needs. */
  readonly inputsToSave?: readonly string[];
  /** One entry for each output: whether the gradient needs it. */
  readonly outputsToSave?: readonly boolean[];
  /** Whether `dys` may be freed once the gradients are computed. Default `true`. */
  readonly freesGradients?: boolean;
  /** Temporaries are its own to dispose: kernels do not run in a `tf.tidy`. */
  forward(inputs: Readonly<Record<string, tf.Tensor>>, attributes: Attributes): tf.Tensor | tf.Tensor[];
  /**
   * One closure for each input. The tape calls only those that an asked-for variable needs: a network's own input
   * and a suppressed filter cost nothing. Closures run in a `tf.tidy`; the function's own body does not.
   *
   * @param dys Gradients of the outputs.
   * @param saved Saved inputs, then saved outputs.
   * @param spend Takes what the function's body made for its closures alone, to be freed with what is saved.
   */
  gradient(
    dys: readonly tf.Tensor[],
    saved: readonly tf.Tensor[],
    attributes: Attributes,
    spend: (temporary: tf.Tensor) => void,
  ): Record<string, () => tf.Tensor>;
}

interface Engine {
  readonly state: { readonly gradientDepth: number; readonly activeScope: { readonly id: number } | null };
}

// What the last gradient function used. Its closures have run when the next one begins.
let spent: tf.Tensor[] = [];

/** For gradient functions that cannot be differentiated themselves. */
export function assertFirstOrder(): void {
  if ((tf.engine() as unknown as Engine).state.gradientDepth === 0) return;
  throw new G2DError(
    'G2D_SECOND_ORDER',
    'A gradient of a gradient was asked for, but accelerated models and the losses of @g2d/tensor-ops have first-order gradients only on this backend. Use a model without `accelerate` and TensorFlow.js operations there.',
  );
}

/**
 * Registers a kernel and its gradient for the `tensorflow` backend.
 *
 * TensorFlow.js keeps every activation and every gradient of an activation until the end of the backward pass. Here
 * each is freed as soon as the next gradient function begins, which halves the memory of a step. The price: gradients
 * of gradients are not possible, and asking for them is an error.
 */
export function defineKernel<Attributes extends object>(definition: KernelDefinition<Attributes>): void {
  const {
    name,
    inputsToSave = [],
    outputsToSave = [],
    freesGradients = true,
    forward,
    gradient,
  } = checkKeys(
    definition,
    {
      name: true,
      inputsToSave: true,
      outputsToSave: true,
      freesGradients: true,
      forward: true,
      gradient: true,
    },
    'defineKernel',
  );
  // The registry is the process's: another copy of this package may have been first.
  if (tf.getKernel(name, TENSORFLOW)) return;
  tf.registerKernel({
    kernelName: name,
    backendName: TENSORFLOW,
    kernelFunc: ({ inputs, attrs }) =>
      forward(inputs as Record<string, tf.Tensor>, attrs as unknown as Attributes),
  });
  tf.registerGradient({
    kernelName: name,
    inputsToSave: [...inputsToSave],
    outputsToSave: [...outputsToSave],
    gradFunc: (dy, saved, attrs) => {
      assertFirstOrder();
      const { activeScope } = (tf.engine() as unknown as Engine).state;
      for (const tensor of spent) tensor.dispose();
      const dys = Array.isArray(dy) ? dy : [dy];
      // A gradient from outside of this backward pass (the `dy` argument of `tf.grads`) belongs to the caller.
      // One that somebody keeps is theirs.
      const own = dys.filter((tensor) => {
        const { scopeId, kept } = tensor as unknown as { scopeId: number; kept: boolean };
        return scopeId === activeScope?.id && !kept;
      });
      const used = [...(freesGradients ? own : []), ...saved];
      spent = used;
      return gradient(dys, saved, attrs as unknown as Attributes, (temporary) => used.push(temporary));
    },
  });
}

/** Runs a registered kernel on the tape. */
export const runKernel = <Result extends tf.Tensor | tf.Tensor[] = tf.Tensor>(
  name: string,
  inputs: Readonly<Record<string, tf.Tensor>>,
  attributes: object = {},
): Result => tf.engine().runKernel(name, { ...inputs }, attributes as tf.NamedAttrMap) as Result;

/**
 * Disposes outputs of a kernel that only its gradient needs; the tape keeps handles of its own. For gradients that nobody has, TensorFlow.js makes zeros
 * as large as these outputs, in JavaScript, and throws them away: 50 MB in a step of two ResNets. It asks these handles for the size, so they say that they
 * are empty.
 */
export function disposeSaved(outputs: readonly tf.Tensor[]): void {
  for (const output of outputs) {
    // First: the size is subtracted from `tf.memory()`.
    output.dispose();
    Object.defineProperties(output, { size: { value: 0 }, shape: { value: [0] } });
  }
}
