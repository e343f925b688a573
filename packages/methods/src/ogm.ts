import * as tf from '@tensorflow/tfjs-core';
import { modalityInScope, type ParameterScope } from '@g2d/fusion';
import { OptionError, perModality, type PerModality } from '@g2d/core';
import { deriveSeed, trueClassProbability } from '@g2d/tensor-ops';
import type { Method, Step } from '@g2d/trainer';
import { enhanceGradient, normalNoise, type GradientNoise } from './gradient-noise.js';
import { ogmCoefficients, ogmRatios, type OgmComparison } from './ogm-coefficients.js';
import { presentSamples } from './present-loss.js';

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
  /** Of the noise, an integer. Default: it follows from the seed of the training. The noise has random streams of its own. */
  readonly seed?: number;
  /** Noise from elsewhere. Its tensors are left alone unless they were made in the call. Default: from `seed`. */
  readonly noise?: GradientNoise;
}

/** What an edit may depend on. */
interface EditStep {
  readonly coefficient: number;
  readonly epoch: number;
  readonly batchIndex: number;
}

/** What happens to the gradient of one variable; inside of a tidy. */
type Edit = (gradient: tf.Tensor, variable: string, step: EditStep) => tf.Tensor;

/**
 * On-the-fly gradient modulation: in each step, the gradients of the modality that is ahead are made smaller.
 *
 * s_m = Σ_i softmax(u_m)_i[y_i],  ρ_m = s_m / s_j,  κ_m = 1 − tanh(α ρ_m) if ρ_m > 1, else 1,  g ← κ_m g
 *
 * Works on any loss and needs class labels and two modalities or more. The log has `scores` (s_m / B), `ratios` (ρ_m) and
 * `coefficients` (κ_m, 1 outside of `epochs`). With presence masks s_m / B is the mean over the samples that have the modality;
 * one that no sample of the batch has is not compared, and if fewer than two are left all κ_m are 1. Several processes that train
 * together compare the scores of all their batches.
 *
 * @throws {OptionError} If an option is not accepted; in `onTrainStart`, if the scope contains no variable of some modality.
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
 * name, the epoch and the place of the batch in its epoch, so that a run which resumes at any step continues alike.
 *
 * @throws {OptionError} As `ogm`.
 * @example
 * await train({ model, methods: [ogmGe({ alpha: 0.8, epochs: [1, 51] })], … });
 * @see Peng et al., CVPR 2022; released code, `main.py`; G2D, Sec. 4
 */
export function ogmGe<M extends string>({ seed, noise, ...options }: OgmGeOptions): Method<M> {
  let noiseSeed = seed;
  const method = modulation<M>(
    'ogm-ge',
    options,
    (gradient, variable, { coefficient, epoch, batchIndex }) => {
      const stream = `gradient-noise/epoch-${epoch}/step-${batchIndex}/${variable}`;
      const drawn = (): tf.Tensor => normalNoise(gradient.shape, deriveSeed(noiseSeed as number, stream));
      return enhanceGradient(gradient, { coefficient, noise: noise?.(variable, gradient.shape) ?? drawn() });
    },
  );
  return {
    ...method,
    async onTrainStart(training) {
      await method.onTrainStart?.(training);
      // The first number of its stream, also in a training that goes on: streams return to their places after this hook.
      if (seed === undefined && !noise) noiseSeed = training.random('ogm-ge/noise').integer(2 ** 32);
    },
  };
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
  let log: Readonly<Record<'scores' | 'ratios' | 'coefficients', PerModality<M, number>>>;
  return {
    name,
    task: 'classification',
    modalities: { least: 2 },
    onTrainStart({ model }) {
      modalityOf = modalityInScope(model, scope);
      stableName = model.stableNames();
    },
    afterBackward(gradients, step, { unimodalLogits }) {
      const { epoch, batchIndex, model } = step;
      const scores = meanScores(step, unimodalLogits);
      const modulates = first <= epoch && epoch <= last;
      const compared = model.modalities.filter((modality) => !Number.isNaN(scores[modality]));
      const present = perModality(compared, (modality) => scores[modality]);
      const enough = compared.length > 1;
      const coefficients: Record<M, number> = {
        ...perModality(model.modalities, () => 1),
        ...(modulates && enough && ogmCoefficients(present, { alpha, multi })),
      };
      const ratios: Record<M, number> = {
        ...perModality(model.modalities, () => NaN),
        ...(enough && ogmRatios(present, multi)),
      };
      log = { scores, ratios, coefficients };
      if (!modulates) return gradients;
      return gradients.map(({ name, tensor }) => {
        const modality = modalityOf(name);
        if (!tensor || modality === undefined) return { name, tensor };
        const place = { coefficient: coefficients[modality], epoch, batchIndex };
        return { name, tensor: tf.tidy(() => edit(tensor, stableName.get(name) as string, place)) };
      });
    },
    stepLog: () => log,
  };
}

/** s_m over the samples that have the modality, of all processes, divided by how many they are; NaN if none has it. */
function meanScores<M extends string>(
  { model, batch, allReduce }: Step<M>,
  logits: PerModality<M, tf.Tensor2D>,
): Record<M, number> {
  const means = perModality(model.modalities, (modality) => {
    const samples = presentSamples(batch, modality);
    const count = samples?.length ?? batch.ids.length;
    if (count === 0) return { mean: 0, count };
    return tf.tidy(() => {
      const probability = trueClassProbability(batch.labels, logits[modality]);
      const rows = samples ? tf.gather(probability, tf.tensor1d([...samples], 'int32')) : probability;
      return { mean: tf.mean(rows).dataSync()[0] as number, count } as never;
    }) as { mean: number; count: number };
  });
  const sums = Float64Array.from(
    model.modalities.flatMap((modality) => [
      means[modality].mean * means[modality].count,
      means[modality].count,
    ]),
  );
  allReduce.sum(sums);
  return perModality(model.modalities, (modality) => {
    const i = 2 * model.modalities.indexOf(modality);
    const [sum, count] = [sums[i] as number, sums[i + 1] as number];
    // Exact where one process has all of them: a mean times a count, divided again, may round.
    return count === means[modality].count && count > 0 ? means[modality].mean : sum / count;
  });
}
