import { defineMethod, perModality, type Hooks, type Model, type Parameter, type Training } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { referenceOption } from './options.js';
import { separability } from './separability.js';
import * as recipes from './recipes.js';

const options = z.strictObject({
  lambda: z
    .number()
    .min(0)
    .default(3)
    .describe('λ: how much a gap counts; the published command for CREMA-D has 3. 0: diagnoses alone'),
  every: z.int().min(1).default(20).describe('epochs from one diagnosis to the next'),
  times: z.int().min(0).default(3).describe('how many there are at most'),
  reference: referenceOption.describe(
    'when they are: paper, after the epochs every, 2 · every, …; official, as the released code, which counts epochs from 0: one later',
  ),
});

/** What a modality was found to be; `null` where it has too few samples to say. */
interface Diagnosis {
  readonly train: number;
  readonly validation: number;
  /** s: how far the encoder went back. */
  readonly strength: number;
}

interface State<M extends string> {
  /** θ⁰ of every encoder's parameters, by their names. */
  readonly initial: Readonly<Record<string, Float32Array>>;
  done: number;
  /** The last one, and after which epoch it was. */
  last: { readonly epoch: number; readonly of: Readonly<Record<M, Diagnosis | null>> } | null;
}

/**
 * Diagnosing & Re-learning: now and then each encoder goes back towards its initial weights, the further the better its features tell the classes of training samples
 * than those of validation samples.
 *
 * L = CE(z, y); after every `every`th epoch, `times` times at most: θ_m ← s_m θ_m⁰ + (1 − s_m) θ_m,  s_m = tanh(λ |P_m(train) − P_m(validation)|)
 *
 * P_m is the purity of a k-means clustering of a whole split's features f_m, with as many clusters as there are classes (`separability`). What goes back are the encoder's parameters: not its running
 * statistics, its head or the fusion, nor the momentum of any, as in the released code. Nothing is done after the last epoch. A modality that fewer samples of a split have than there are
 * classes is left as it is. With λ = 0 the training is the same as without the method, bit for bit. One modality will do, and any number. The log of the epoch after a
 * diagnosis has `purityTrain`, `purityValidation` and `relearned`: s_m, nothing for a modality without a diagnosis.
 *
 * @throws {OptionError} If an option is not accepted; as the training begins, if it has no `everyValidationSample`; at the first diagnosis, if it has no `everySample`.
 * @example
 * await train({ model, methods: [diagnosingRelearning()], everySample, everyValidationSample, epochs: 90, … });
 * @see Wei et al., Diagnosing and Re-learning for Balanced Multimodal Learning (ECCV 2024); released code, `ours.py`
 */
export const diagnosingRelearning = defineMethod({
  name: 'diagnosing-relearning',
  label: 'D&R',
  summary: 'takes encoders back towards their initial weights where they have overfitted',
  source: { paper: 'Wei et al., ECCV 2024', code: 'Diagnosing_Relearning_ECCV2024 025085e' },
  recipe: recipes.diagnosingRelearning,
  needs: { task: 'classification', validation: 'features' },
  options,
  create: <M extends string>({
    lambda,
    every,
    times,
    reference,
  }: z.output<typeof options>): Hooks<M, State<M>> => ({
    init: ({ model }) => ({
      initial: Object.fromEntries(
        encoderParameters(model).map(({ name, variable }) => [name, Float32Array.from(variable.dataSync())]),
      ),
      done: 0,
      last: null,
    }),
    plan(step, { last }) {
      if (last?.epoch === step.epoch - 1) {
        const series = (of: (diagnosis: Diagnosis) => number) =>
          perModality(step.model.modalities, (m) => (last.of[m] ? of(last.of[m]) : NaN));
        step.log({
          purityTrain: series(({ train }) => train),
          purityValidation: series(({ validation }) => validation),
          relearned: series(({ strength }) => strength),
        });
      }
      return {};
    },
    async epoch({ epoch }, training, state) {
      const counted = reference === 'official' ? epoch - 1 : epoch;
      const isDue = counted > 0 && counted % every === 0 && state.done < times;
      if (!isDue || epoch === training.epochs) return;
      const of = await diagnosed(training, lambda);
      for (const parameter of encoderParameters(training.model)) {
        const strength = of[parameter.modality as M]?.strength ?? 0;
        if (strength > 0) goBack(parameter, state.initial[parameter.name] as Float32Array, strength);
      }
      state.done += 1;
      state.last = { epoch, of };
    },
  }),
});

const encoderParameters = <M extends string>({ parameters }: Model<M>): readonly Parameter<M>[] =>
  parameters.filter(({ modality, role }) => modality !== undefined && role !== 'head');

async function diagnosed<M extends string>(
  training: Training<M>,
  lambda: number,
): Promise<Record<M, Diagnosis | null>> {
  const { modalities } = training.model;
  const [ofTrain, ofValidation] = [await training.features('train'), await training.features('validation')];
  const classes = new Set(modalities.flatMap((m) => ofTrain[m].labels)).size;
  const found: Partial<Record<M, Diagnosis | null>> = {};
  for (const m of modalities) {
    const train = await separability(ofTrain[m], classes);
    const validation = await separability(ofValidation[m], classes);
    found[m] =
      train === undefined || validation === undefined
        ? null
        : { train, validation, strength: Math.tanh(lambda * Math.abs(train - validation)) };
  }
  return found as Record<M, Diagnosis | null>;
}

function goBack<M extends string>({ variable }: Parameter<M>, initial: Float32Array, strength: number): void {
  tf.tidy(() => {
    const start = tf.tensor(initial, variable.shape);
    variable.assign(tf.add(tf.mul(start, strength), tf.mul(variable, 1 - strength)));
  });
}
