import type { Fusion, FusionOptions } from '@g2d/fusion';
import { OptionError, type NamedArray, type NamedGradient, type PerModality } from '@g2d/core';
import type { Method, Step } from '@g2d/trainer';
import * as tf from '@tensorflow/tfjs-core';
import { assertMlaOptions, type MlaOptions } from './mla-options.js';
import { projectionStrength, updatedProjection } from './mla-projection.js';
import { presentLoss, presentSamples } from './present-loss.js';
import { projectFeatures } from './project-features.js';
import { sharedHeadFusion } from './shared-head.js';

/** What MLA remembers beside the matrix: modalities that have taken a step. */
interface MlaState<M extends string> {
  readonly stepped: readonly M[];
}

/**
 * MLA: every batch is one step for each modality in turn, with its own encoder and the head that all share.
 *
 * for each m: u_m = h(f_m),  L_m = CE(u_m, y),  ∇_W L_m ← ∇_W L_m Pᵀ,  a step of encoder m and of the head h, which the next modality
 * finds updated
 *
 * P is the identity in the first step, which it leaves alone; every later one updates it with the mean features of its batch
 * (`updatedProjection`) and divides it by ‖P‖_F. It is kept for the whole training, in checkpoints too.
 *
 * The model needs a `sharedHeadFusion`, which also weighs the modalities at inference; the hook `fusion` makes it. With presence masks
 * a modality's loss is over the samples that have it, and one that no sample of a batch has takes no step.
 *
 * @throws {OptionError} If an option is not accepted; in `onTrainStart`, if the model's head is not shared, `order` does not name each
 * modality once, or a projection does not know how many batches an epoch has.
 * @example
 * await train({ model, methods: [mla()], … });
 * @see Zhang et al., MLA (CVPR 2024), Sec. 3; released code, `main.py`; G2D, Sec. 4
 */
export function mla<M extends string>(options: MlaOptions<NoInfer<M>> = {}): Method<M> {
  assertMlaOptions(options);
  const { order: given, projection = 'off', otherEncoders = 'freeze' } = options;
  let order: readonly M[] = [];
  let kernel: string;
  let stepped: readonly M[] = [];
  let matrix: NamedArray | undefined;

  /** P after the features of one more step; `undefined` in the first. */
  const nextProjection = (step: Step<M>, mean: Float32Array): tf.Tensor2D | undefined => {
    if (projection === 'off' || stepped.length === 0) return undefined;
    const width = mean.length;
    const before = matrix ? tf.tensor2d(matrix.values as Float32Array, [width, width]) : tf.eye(width);
    const strength = projectionStrength(step.batchIndex, step.batchesPerEpoch as number);
    const updated = updatedProjection(before, tf.tensor1d(mean), { strength, form: projection });
    const normalized = tf.div<tf.Tensor2D>(updated, tf.norm(updated));
    matrix = { shape: [width, width], values: Float32Array.from(normalized.dataSync()) };
    return normalized;
  };

  return {
    name: 'mla',
    fusion: <K extends M>(fusionOptions: FusionOptions<K>) =>
      mlaFusion(options as MlaOptions<K>, fusionOptions),
    onTrainStart({ model, batchesPerEpoch }) {
      order = given ?? model.modalities;
      if ([...order].sort().join() !== [...model.modalities].sort().join()) {
        throw new OptionError(
          `\`order\` is [${order.join(', ')}]; it must name each of ${model.modalities.join(', ')} once.`,
          { option: 'order', value: order, accepted: model.modalities.join(', ') },
        );
      }
      const groups = model.groups();
      const shared = model.variables.filter(({ name }) => groups.get(name)?.role === 'shared');
      const kernels = shared.filter(({ rank }) => rank === 2);
      if (shared.length !== 2 || kernels.length !== 1) throw notShared(shared.map(({ name }) => name));
      kernel = (kernels[0] as tf.Variable).name;
      if (projection !== 'off' && batchesPerEpoch === undefined) {
        throw new OptionError(
          `The projection "${projection}" grows over the batches of an epoch and must know how many they are. Give the training \`batchesPerEpoch\`.`,
          { option: 'batchesPerEpoch', value: batchesPerEpoch, accepted: 'a whole number' },
        );
      }
      stepped = [];
      matrix = undefined;
    },
    trainStep(step) {
      const { model, batch } = step;
      const counts = presentCounts(step);
      const loss: Record<string, number> = {};
      const logits = {} as Record<M, tf.Tensor2D>;
      for (const modality of order) {
        if (counts[modality] === 0) continue;
        let features = undefined as tf.Tensor2D | undefined;
        const { loss: found, gradients } = step.differentiate(
          () => {
            const outputs = step.forward({ modalities: [modality] });
            features = outputs.features[modality];
            logits[modality] = outputs.unimodalLogits[modality];
            return { total: presentLoss(step, modality, logits[modality]) };
          },
          ownVariables(step, modality),
        );
        const width = (features as tf.Tensor2D).shape[1];
        if (model.variables.find(({ name }) => name === kernel)?.shape[0] !== width)
          throw notShared([kernel]);
        const mean =
          projection === 'off' ? undefined : meanFeatures(step, features as tf.Tensor2D, counts[modality]);
        const matrixNow = mean && nextProjection(step, mean);
        step.optimizer.applyGradients(
          gradients.map((gradient) => {
            if (matrixNow && gradient.name === kernel && gradient.tensor) {
              // The kernel is Wᵀ: (∇_W Pᵀ)ᵀ = P ∇_{Wᵀ}.
              return { ...gradient, tensor: tf.matMul(matrixNow, gradient.tensor as tf.Tensor2D) };
            }
            return otherEncoders === 'zero' ? zeroGradient(step, gradient, modality, stepped) : gradient;
          }),
        );
        if (!stepped.includes(modality)) stepped = [...stepped, modality];
        loss[modality] = found['total'] as number;
      }
      const total = Object.values(loss).reduce((sum, value) => sum + value, 0);
      return { loss: { total, ...loss }, outputs: trainingOutputs(order, logits, batch) };
    },
    getState: () => ({
      values: { stepped } satisfies MlaState<M>,
      arrays: matrix ? { projection: matrix } : {},
    }),
    setState({ values, arrays }) {
      stepped = (values as MlaState<M>).stepped;
      matrix = arrays?.['projection'];
    },
  };
}

/** The fusion that MLA needs, for encoders of these widths. */
function mlaFusion<M extends string>(
  { weights = 'entropy', width }: MlaOptions<M>,
  { widths, classes, seed }: FusionOptions<M>,
): Fusion<M> {
  const modalities = Object.keys(widths) as M[];
  const given = modalities.map((modality) => widths[modality]);
  const common = width ?? given[0];
  if (common === undefined || (width === undefined && given.some((each) => each !== common))) {
    const found = modalities.map((modality) => `${modality} ${widths[modality]}`).join(', ');
    throw new OptionError(
      `MLA's head is shared, but the features are not equally wide: ${found}. Give \`width\`, to which a linear layer for each modality then takes them.`,
      { option: 'width', value: width, accepted: 'a width for all modalities' },
    );
  }
  const shared = sharedHeadFusion({ modalities, width: common, classes, seed, weights });
  return width === undefined ? shared : projectFeatures(shared, { widths, seed });
}

const notShared = (found: readonly string[]): OptionError =>
  new OptionError(
    'MLA needs one head that all modalities share, and the model has others. Build its fusion with `sharedHeadFusion`.',
    { option: 'model', value: found, accepted: 'sharedHeadFusion' },
  );

/** Variables of a modality's encoder and of the shared head. */
function ownVariables<M extends string>({ model }: Step<M>, modality: M): tf.Variable[] {
  const groups = model.groups();
  return model.variables.filter(({ name }) => {
    const group = groups.get(name);
    return group?.role === 'shared' || group?.modality === modality;
  });
}

/** A gradient of zeros in place of none, for the variables of other modalities that have had one. */
function zeroGradient<M extends string>(
  { model }: Step<M>,
  { name, tensor }: NamedGradient,
  modality: M,
  stepped: readonly M[],
): NamedGradient {
  const owner = model.groups().get(name)?.modality;
  if (tensor || owner === undefined || owner === modality || !stepped.includes(owner))
    return { name, tensor };
  const variable = model.variables.find((each) => each.name === name) as tf.Variable;
  return { name, tensor: tf.zerosLike(variable) };
}

/** How many samples have each modality, in all processes. */
function presentCounts<M extends string>({ model, batch, allReduce }: Step<M>): PerModality<M, number> {
  const counts = Float64Array.from(
    model.modalities,
    (modality) => presentSamples(batch, modality)?.length ?? batch.ids.length,
  );
  allReduce.sum(counts);
  return Object.fromEntries(model.modalities.map((modality, i) => [modality, counts[i]])) as Record<
    M,
    number
  >;
}

/** r: mean features over the samples of all processes that have the modality; the others' are 0. */
function meanFeatures<M extends string>(
  { allReduce }: Step<M>,
  features: tf.Tensor2D,
  count: number,
): Float32Array {
  const sums = Float32Array.from(tf.sum(features, 0).dataSync());
  allReduce.sum(sums);
  return sums.map((sum) => sum / count);
}

/** What the log's scores are taken from: each modality's logits before its step, and their mean over the modalities that a sample has. */
function trainingOutputs<M extends string>(
  order: readonly M[],
  found: Readonly<Partial<Record<M, tf.Tensor2D>>>,
  { ids, present }: Step<M>['batch'],
): { logits: tf.Tensor2D; unimodalLogits: Record<M, tf.Tensor2D> } {
  const some = order.map((modality) => found[modality]).find((logits) => logits) as tf.Tensor2D;
  const unimodalLogits = Object.fromEntries(
    order.map((modality) => [modality, found[modality] ?? tf.zerosLike(some)]),
  ) as Record<M, tf.Tensor2D>;
  const columns = order.map((modality) => {
    const mask = present?.[modality];
    return mask ? tf.reshape(mask, [-1, 1]) : tf.ones([ids.length, 1]);
  });
  const sum = tf.addN(order.map((modality, i) => tf.mul(unimodalLogits[modality], columns[i] as tf.Tensor)));
  return { logits: tf.div(sum, tf.maximum(tf.addN(columns), 1)), unimodalLogits };
}
