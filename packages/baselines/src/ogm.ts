import * as tf from '@tensorflow/tfjs-core';
import { modalityInScope, type MultimodalModel, type ParameterScope } from '@g2d/fusion';
import {
  deriveSeed,
  OptionError,
  perModality,
  trueClassProbability,
  type PerModality,
} from '@g2d/tensor-ops';
import type { Method } from '@g2d/trainer';
import { enhanceGradient, normalNoise, type GradientNoise } from './gradient-noise.js';
import { ogmCoefficients, ogmRatios, type OgmComparison } from './ogm-coefficients.js';

/** Settings of `ogm`. */
export interface OgmOptions {
  /** α ≥ 0, strength of the modulation. The authors use 0.8 for CREMA-D and 0.1 for VGGSound. */
  readonly alpha: number;
  /**
   * First and last epoch of the modulation, both inside, counted from 1. Default: all epochs. The authors' 0 to 50,
   * counted from 0, is `[1, 51]`.
   */
  readonly epochs?: readonly [first: number, last: number];
  /**
   * Which gradients are modulated. `'conv'` (default): the encoders' convolution kernels, as in the released code.
   * `'encoder'`: all of an encoder, for encoders without convolutions. `'encoder+head'`: the modality's head too.
   */
  readonly scope?: ParameterScope;
  /** How one of three modalities or more is compared with the others. Default `'pairwise'`. */
  readonly multi?: OgmComparison;
}

/** Settings of `ogmGe`. */
export interface OgmGeOptions extends OgmOptions {
  /** Of the noise: the run's seed, an integer. The noise has random streams of its own. */
  readonly seed: number;
  /** Noise from elsewhere. Its tensors are left alone unless they were made in the call. Default: from `seed`. */
  readonly noise?: GradientNoise;
}

/** What happens to the gradient of one variable; inside of a tidy. */
type Edit = (
  gradient: tf.Tensor,
  variable: string,
  step: { readonly coefficient: number; readonly epoch: number; readonly index: number },
) => tf.Tensor;

/**
 * On-the-fly gradient modulation: in each step, the gradients of the modality that is ahead are made smaller.
 *
 * s_m = Σ_i softmax(u_m)_i[y_i],  ρ_m = s_m / s_j,  κ_m = 1 − tanh(α ρ_m) if ρ_m > 1, else 1,  g ← κ_m g
 *
 * Works on any loss and needs class labels. The log has `scores` (s_m / B), `ratios` (ρ_m) and `coefficients` (κ_m, 1
 * outside of `epochs`).
 *
 * @throws {OptionError} If an option is not accepted; in `onTrainStart`, if the model has one modality only, or the
 * scope contains no variable of some modality.
 * @example
 * await train({ model, methods: [ogm({ alpha: 0.8, epochs: [1, 51] })], … });
 * @see Peng et al., "Balanced Multimodal Learning via On-the-fly Gradient Modulation", CVPR 2022, Eq. 10; G2D, Sec. 4
 */
export function ogm<M extends string>(options: OgmOptions): Method<M> {
  return modulation('ogm', options, (gradient, _, { coefficient }) =>
    coefficient === 1 ? gradient : tf.mul(gradient, coefficient),
  );
}

/**
 * OGM with generalization enhancement: `ogm`, and noise of each gradient's own standard deviation.
 *
 * g ← κ_m g + (std(g) + 1e-8) n,  n ~ N(0, 1),  std before scaling
 *
 * Every modality gets noise, also where κ_m = 1, in `epochs` only. The noise of a variable depends on the seed, its
 * name, the epoch and the number of the step in its epoch, so that a run which resumes at an epoch continues alike.
 *
 * @throws {OptionError} As `ogm`.
 * @example
 * await train({ model, methods: [ogmGe({ alpha: 0.8, epochs: [1, 51], seed: 0 })], … });
 * @see Peng et al., CVPR 2022; released code, `main.py`; G2D, Sec. 4
 */
export function ogmGe<M extends string>({ seed, noise, ...options }: OgmGeOptions): Method<M> {
  return modulation('ogm-ge', options, (gradient, variable, { coefficient, epoch, index }) => {
    const stream = `gradient-noise/epoch-${epoch}/step-${index}/${variable}`;
    return enhanceGradient(gradient, {
      coefficient,
      noise: noise?.(variable, gradient.shape) ?? normalNoise(gradient.shape, deriveSeed(seed, stream)),
    });
  });
}

function modulation<M extends string>(
  name: string,
  { alpha, epochs = [1, Infinity], scope = 'conv', multi = 'pairwise' }: OgmOptions,
  edit: Edit,
): Method<M> {
  const [first, last] = epochs;
  if (!(Number.isInteger(first) && first >= 1 && last >= first)) {
    throw new OptionError(
      `\`epochs\` is [${epochs.join(', ')}]; expected the first and the last epoch of the modulation, counted from 1. The released window 0 to 50 is [1, 51].`,
      { option: 'epochs', value: epochs, accepted: '[first, last], 1 ≤ first ≤ last' },
    );
  }
  // Checks alpha and multi before a run has begun.
  ogmCoefficients({ a: 1, b: 1 }, { alpha, multi });

  let modalityOf: (variable: string) => M | undefined;
  let stableName: ReadonlyMap<string, string>;
  let position = { epoch: 0, index: 0 };
  let log: Readonly<Record<'scores' | 'ratios' | 'coefficients', PerModality<M, number>>>;
  return {
    name,
    onTrainStart({ model }) {
      if (model.modalities.length < 2) {
        throw new OptionError(
          `"${name}" balances modalities, but the model has only ${model.modalities.join()}. Train it without.`,
          { option: 'methods', value: name, accepted: 'two modalities or more' },
        );
      }
      modalityOf = modalityInScope(model, scope);
      stableName = stableNames(model);
      position = { epoch: 0, index: 0 };
    },
    afterBackward(gradients, { epoch, model, batch }, { unimodalLogits }) {
      position = { epoch, index: epoch === position.epoch ? position.index + 1 : 0 };
      const scores = perModality(model.modalities, (modality) =>
        tf.tidy(() => {
          const probability = trueClassProbability(batch.labels, unimodalLogits[modality]);
          return tf.mean(probability).dataSync()[0] as number;
        }),
      );
      const modulates = first <= epoch && epoch <= last;
      const coefficients = modulates
        ? ogmCoefficients(scores, { alpha, multi })
        : perModality(model.modalities, () => 1);
      log = { scores, ratios: ogmRatios(scores, multi), coefficients };
      if (!modulates) return gradients;
      return gradients.map(({ name, tensor }) => {
        const modality = modalityOf(name);
        if (!tensor || modality === undefined) return { name, tensor };
        const step = { coefficient: coefficients[modality], ...position };
        return { name, tensor: tf.tidy(() => edit(tensor, stableName.get(name) as string, step)) };
      });
    },
    stepLog: () => log,
  };
}

/** The names that `MultimodalModel.state()` gives to variables, by those that they have in this process. */
const stableNames = <M extends string>(model: MultimodalModel<M>): ReadonlyMap<string, string> =>
  new Map(Array.from(model.state(), ([stable, weight]) => [(weight.read() as tf.Variable).name, stable]));
