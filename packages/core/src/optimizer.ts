import type * as tf from '@tensorflow/tfjs-core';
import type { NamedGradient } from './gradients.js';

/**
 * What a training loop needs of an optimizer.
 *
 * State is keyed by the variable's name, never by position: an entry `null` skips its variable (no decay, no momentum, no
 * step counted), and the others are not shifted. TensorFlow.js's own optimizers keep their state by position.
 */
export interface Optimizer {
  /** Of the next step; finite and at least 0. */
  learningRate: number;

  /**
   * What `learningRate` is multiplied by for a variable, from the next step on; finite and at least 0. To begin with 1 for
   * every variable.
   *
   * As PyTorch's parameter groups with learning rates of their own: weight decay in the gradient, velocities and averages
   * are what they would be without, and with `AdamW` the decay of the weights has the factor too. With 0 the state goes on
   * while the variable stays; a `null` gradient stops both. A setting like `learningRate`: not a part of the state.
   *
   * @example
   * optimizer.learningRateFactorOf = (variable) => (variable.startsWith('audio/') ? 0.1 : 1);
   */
  learningRateFactorOf: (variable: string) => number;

  /**
   * One step. The gradients are left alone. Nothing is changed if one of them is wrong.
   *
   * @param gradients Every variable once, `null` to leave it as it is.
   * @throws {OptionError} If a name is not one of the optimizer's variables, or the factor of one is not accepted.
   * @throws {ShapeError} If a gradient does not have its variable's shape.
   */
  applyGradients(gradients: readonly NamedGradient[]): void;

  /**
   * A copy of everything that the next step depends on beside the variables, as float32 tensors called
   * `<variable>/<part>`, for example `audio/conv1/kernel/velocity`. Variables that were never stepped have none. Dispose
   * the tensors.
   */
  getState(): tf.NamedTensorMap;

  /**
   * Puts a state from `getState` in place of the present one, so that the next steps are those that would have followed.
   * The tensors are left alone.
   *
   * @throws {OptionError} If there are parts that this optimizer does not keep for these variables, or some are missing.
   * @throws {ShapeError} If one does not have the shape it must have.
   */
  setState(state: Readonly<tf.NamedTensorMap>): void;

  /** Frees the state. The variables stay. */
  dispose(): void;
}

/** How the learning rate falls over the epochs. */
export type Schedule =
  | ({
      readonly type: 'step';
      /** What the rate is multiplied by. Default 0.1. */
      readonly ratio?: number;
    } & (
      | {
          /** A fall after every so many epochs. */
          readonly every: number;
          readonly after?: never;
        }
      | {
          /** A fall after each of these epochs. */
          readonly after: readonly number[];
          readonly every?: never;
        }
    ))
  | {
      readonly type: 'cosine';
      /** Length of the fall. */
      readonly epochs: number;
      /** The rate that it falls to. Default 0. */
      readonly min?: number;
    }
  | {
      /** The rate stays, then falls by the same amount each epoch: lr · (1 − max(0, e − constant) / (epochs − constant + 1)). */
      readonly type: 'linear';
      /** Epochs before it falls. Default 0. */
      readonly constant?: number;
      /** The last epoch of the fall, in which 1 / (epochs − constant + 1) of the rate is left; later ones have as much. */
      readonly epochs: number;
    }
  | {
      /** The rate falls after evaluated epochs that were no better. PyTorch's `ReduceLROnPlateau`, with its names and defaults. */
      readonly type: 'plateau';
      /**
       * What is watched on the validation split, by the fused head or the only one, such as `'accuracy'`. Default `'loss'`: the mean
       * cross-entropy or squared error.
       */
      readonly metric?: string;
      /** Whether smaller or larger is better; it follows from the metric, and must not contradict it. */
      readonly mode?: 'min' | 'max';
      /** What the rate is multiplied by. Default 0.1. */
      readonly factor?: number;
      /** It falls after more than so many evaluated epochs that were no better. Default 10. */
      readonly patience?: number;
      /** By how much an epoch must be better. Default 1e-4. */
      readonly threshold?: number;
      /** `'rel'` (default): by a part of the best number; `'abs'`: by the threshold itself. */
      readonly thresholdMode?: 'rel' | 'abs';
      /** Evaluated epochs after a fall that do not count as bad. Default 0. */
      readonly cooldown?: number;
      /** No rate falls below. Default 0. */
      readonly min?: number;
    };

/**
 * A limit for the gradients of a step. `norm`: if all of them together, as one vector, are longer, they are shortened to it (PyTorch's
 * `clip_grad_norm_`). `value`: each number is brought into [−value, value] (`clip_grad_value_`).
 */
export type GradientClipping =
  | {
      readonly norm: number;
      /**
       * Whose gradients are one vector: the whole model's (default), or those of each network, as in programs that clip one network after
       * another. A network is a modality's encoder, or a part of the fusion as the first two words of its parameters' names say it:
       * `head/audio`, `fusion/classifier`.
       */
      readonly per?: 'model' | 'network';
      readonly value?: never;
    }
  | { readonly value: number; readonly norm?: never; readonly per?: never };

interface CommonSettings {
  /** Of the first epoch, if there is no warm-up. */
  readonly learningRate: number;
  readonly weightDecay?: number;
  /** Default: constant. */
  readonly schedule?: Schedule;
  /** The rate grows to what the schedule says: `start` (default 1/3) of it in the first epoch, all after `epochs`. */
  readonly warmUp?: { readonly epochs: number; readonly start?: number };
  /**
   * Of what the optimizer gets: after the methods' coefficients and edits, after the mean over processes and over the parts of an
   * accumulated batch, before weight decay. Default: none.
   */
  readonly clipping?: GradientClipping;
  /**
   * Other learning rates for parts of the model, as PyTorch's parameter groups: a rate, or a factor of `learningRate`. Schedule and
   * warm-up act on each. Parts are a modality (its encoder), `head/<modality>` (what of the fusion serves it alone) and `fusion` (all heads
   * and what is shared); the narrower name counts.
   *
   * @example
   * learningRates: { audio: 1e-4, fusion: { factor: 10 } }
   */
  readonly learningRates?: Readonly<Record<string, number | { readonly factor: number }>>;
}

/** Settings of an optimizer, each as PyTorch defines it. */
export type OptimizerSettings =
  | (CommonSettings & {
      /** Default. */
      readonly type?: 'sgd';
      readonly momentum?: number;
      readonly dampening?: number;
      readonly nesterov?: boolean;
    })
  | (CommonSettings & {
      readonly type: 'adam' | 'adam-w';
      readonly betas?: readonly [number, number];
      readonly epsilon?: number;
      /**
       * Where ε is added: to the root of the corrected average (`'corrected'`, default), or of the average as it is (`'uncorrected'`), as in
       * TensorFlow, where it counts 32 times as much in the first step.
       */
      readonly epsilonAt?: 'corrected' | 'uncorrected';
    });
