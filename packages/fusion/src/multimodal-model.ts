import * as tf from '@tensorflow/tfjs-core';
import {
  model,
  type LayerVariable,
  type layers,
  type LayersModel,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { freeze, type Precision } from '@g2d/accelerate';
import {
  assertModalityNames,
  checkKeys,
  OptionError,
  perModality,
  ShapeError,
  shown,
  UnknownModalityError,
  type AbsentRows,
  type Fusion,
  type FusionPass,
  type Inputs,
  type Model,
  type Outputs,
  type Parameter,
  type PassMode,
  type PerModality,
  type Presence,
} from '@g2d/core';
import {
  assertEncoder,
  commonBatch,
  encoderInput,
  inputTensors,
  mask,
  named,
  zeroInputs,
  type EncoderInput,
  type NamedTensor,
} from './encoder-input.js';
import { encoderRole, innerLayers } from './layer-roles.js';
import { weightNames } from './weight-names.js';
import { asConstants, hasGradients, keeping, trainingOf } from './pass-mode.js';
import { minRows } from './min-rows.js';
import { presentRows } from './presence.js';
import { presentIndices, presentRowsAlone } from './present-rows-alone.js';

/** Which part of a model a variable belongs to. */
export type ParameterGroup<M extends string> = Pick<Parameter<M>, 'modality' | 'role'>;

const ABSENT_ROWS: readonly AbsentRows[] = ['zeros', 'skip'];

/** What a pass runs on. */
interface CheckedPass<M extends string> {
  /** Of the modalities that are to be encoded. */
  readonly tensors: ReadonlyMap<M, readonly tf.Tensor[]>;
  /** How many samples. */
  readonly samples: number;
  readonly present: Presence<M> | undefined;
  readonly zeroed: Presence<M> | undefined;
}

/** A model whose encoders no longer change, see `MultimodalModel.freeze`. */
export interface FrozenMultimodalModel<M extends string> {
  readonly modalities: readonly M[];
  /** Everything in one pass, in inference mode; dispose the outputs. */
  forward(batch: Inputs<M>): Outputs<M>;
  /** Frees the folded weights. The model stays. */
  dispose(): void;
}

/**
 * Encoders, one for each modality, and a fusion: the student of G2D, or any jointly trained network.
 *
 * @example
 * const student = new MultimodalModel({
 *   encoders: { audio, image },
 *   fusion: lateFusion({ widths: { audio: 64, image: 32 }, classes: 10, seed: 0 }),
 * });
 * const { logits } = student.forward({ inputs: { audio: spectrograms, image: images } }, { training: false });
 */
export class MultimodalModel<M extends string> implements Model<M> {
  readonly modalities: readonly M[];
  /** Trainable variables in one order that never changes: encoders in the modalities' order, then the fusion. */
  readonly parameters: readonly Parameter<M>[];
  /** The same, as TensorFlow.js takes them. */
  readonly variables: readonly tf.Variable[];
  /** Shapes of the tensors that each encoder takes, mostly one; `null` for the batch and free axes. */
  readonly inputShapes: PerModality<M, readonly (readonly (number | null)[])[]>;
  readonly minRows: PerModality<M, number>;
  readonly absentRows: AbsentRows;
  readonly #encoders: PerModality<M, LayersModel>;
  readonly #fusion: Fusion<M>;
  readonly #state: ReadonlyMap<string, LayerVariable>;
  /** Variables of each encoder that passes change, not optimizers: running statistics. */
  readonly #statistics: PerModality<M, readonly LayerVariable[]>;
  /** The same of the fusion. */
  readonly #fusionStatistics: readonly LayerVariable[];

  /**
   * @param parts `absentRows`: with `'skip'` an encoder runs on the samples that have its modality alone, so that its batch
   * normalization is that of these samples; default `'zeros'`, as in the reference.
   * @throws {OptionError} If encoders and fusion do not have the same modalities, an encoder's features are not as wide
   * as the fusion expects, or layers share a name.
   */
  constructor(parts: {
    readonly encoders: PerModality<M, LayersModel>;
    readonly fusion: Fusion<M>;
    readonly absentRows?: AbsentRows;
  }) {
    const {
      encoders,
      fusion,
      absentRows = 'zeros',
    } = checkKeys(parts, { encoders: true, fusion: true, absentRows: true }, 'MultimodalModel');
    if (!ABSENT_ROWS.includes(absentRows)) {
      throw new OptionError(
        `\`absentRows\` is ${shown(absentRows)}; it can be ${ABSENT_ROWS.join(' or ')}.`,
        {
          option: 'absentRows',
          value: absentRows,
          accepted: ABSENT_ROWS.join(', '),
        },
      );
    }
    const given = Object.keys(encoders);
    assertModalityNames(given, 'The model');
    if ([...given].sort().join() !== [...fusion.modalities].sort().join()) {
      throw new OptionError(
        `The encoders are for ${given.join(', ')} but the fusion for ${fusion.modalities.join(', ')}. Give both the same modalities.`,
        { option: 'encoders', value: given, accepted: fusion.modalities.join(', ') },
      );
    }
    for (const modality of fusion.modalities)
      assertEncoder(modality, encoders[modality], fusion.widths[modality]);
    this.modalities = fusion.modalities;
    this.#encoders = encoders;
    this.absentRows = absentRows;
    const forFusion = minRows({ layers: fusion.layers.map(({ layer }) => layer) });
    this.minRows = perModality(this.modalities, (modality) =>
      Math.max(forFusion, minRows(encoders[modality])),
    );
    this.inputShapes = perModality(this.modalities, (modality) =>
      encoders[modality].inputs.map(({ shape }) => shape as (number | null)[]),
    );
    this.#fusion = fusion;

    const parameters = new Map<string, Parameter<M>>();
    const state = new Map<string, LayerVariable>();
    const names = new Map<LayerVariable, string>();
    const addNames = (network: string, all: readonly layers.Layer[]): void => {
      for (const [weight, name] of weightNames(network, all))
        // A layer of two encoders keeps its first.
        if (!names.has(weight)) names.set(weight, name);
    };
    const add = (layer: layers.Layer, group: (variable: string) => ParameterGroup<M>): void => {
      for (const weight of layer.weights) {
        const name = names.get(weight) as string;
        const other = state.get(name);
        if (other && other !== weight) {
          throw new OptionError(
            `Two layers have a variable "${name}", so a checkpoint would keep only one. Give every layer a name of its own, such as "<modality>/conv1".`,
            { option: 'encoders', value: name, accepted: 'distinct layer names' },
          );
        }
        state.set(name, weight);
      }
      for (const weight of layer.trainableWeights) {
        const variable = weight.read() as tf.Variable;
        const known = parameters.get(variable.name);
        const own = { name: names.get(weight) as string, variable, ...group(weight.originalName) };
        // A layer of two encoders belongs to neither.
        if (!known) parameters.set(variable.name, own);
        else if (known.modality !== own.modality)
          parameters.set(variable.name, { ...known, modality: undefined, role: 'shared' });
      }
    };
    for (const modality of this.modalities) {
      const own = encoders[modality].layers.flatMap(innerLayers);
      addNames(modality, own);
      for (const layer of own) {
        add(layer, (variable) => ({ modality, role: encoderRole(layer, variable) }));
      }
    }
    addNames(
      'fusion',
      fusion.layers.map(({ layer }) => layer),
    );
    for (const { layer, modality } of fusion.layers) {
      add(layer, () => ({ modality, role: modality === undefined ? 'shared' : 'head' }));
    }
    this.parameters = [...parameters.values()];
    this.variables = this.parameters.map(({ variable }) => variable);
    this.#state = state;
    this.#statistics = perModality(this.modalities, (modality) =>
      encoders[modality].layers
        .flatMap(innerLayers)
        .flatMap(({ weights }) => weights)
        .filter(({ trainable }) => !trainable),
    );
    this.#fusionStatistics = fusion.layers
      .flatMap(({ layer }) => layer.weights)
      .filter(({ trainable }) => !trainable);
  }

  /**
   * An encoder's features `[B, D_m]` of one modality's input `[B, …]`.
   *
   * @param present Samples that have the modality; default: all. The others' input is 0 to the encoder, and so are their
   * features.
   * @throws {UnknownModalityError} If the model has no such modality.
   * @throws {OptionError} If the encoder takes more or fewer tensors.
   * @throws {ShapeError} If the input is not of the shape that the encoder was made for, or one row is too few for it in training mode.
   */
  encode(modality: M, input: EncoderInput, mode: PassMode<M>, present?: tf.Tensor1D): tf.Tensor2D {
    const tensors = this.#tensors(modality, input);
    commonBatch([...named(modality, tensors), ...mask(modality, present)]);
    if (trainingOf(mode, modality)) this.#assertRows(modality, tensors, present);
    return tf.tidy(() =>
      presentRows(
        this.#features(modality, tensors, present, (rows) => this.#encode(modality, rows, mode)),
        present,
      ),
    );
  }

  /** Fused logits z `[B, C]` from the encoders' features, as `encode` gives them. */
  fuse(features: PerModality<M, tf.Tensor2D>, present?: Presence<M>): tf.Tensor2D {
    return tf.tidy(() => this.#fusion.apply(features, { training: false, present }).logits);
  }

  /** Logits u_m `[B, C]` of each modality alone, from the encoders' features, as `encode` gives them. */
  unimodalLogits(features: PerModality<M, tf.Tensor2D>, present?: Presence<M>): PerModality<M, tf.Tensor2D> {
    return tf.tidy(() => ({ ...this.#fusion.apply(features, { training: false, present }).unimodalLogits }));
  }

  /**
   * Everything in one pass: encode each modality, fuse, and each modality's own logits.
   *
   * With `present`, what stands in the inputs of absent samples changes nothing, NaN included: it is 0 to the encoder (whose
   * batch statistics count these zeros, unless the model was made with `absentRows: 'skip'`), the features are 0, and the fusion leaves
   * the modality out as far as it can. The
   * reference's way of missing modalities, inputs multiplied by 0 that are encoded and fused like any other, is a pass on
   * such inputs without masks.
   *
   * A modality that the whole batch lacks needs no input if `present` has a mask for it: its encoder does not run, and it is
   * absent in every sample, whatever the mask says. With a mask in `zeroed` in its place zeros are encoded. What a batch has of modalities that the model does not know is not looked
   * at, masks neither. An encoder of two inputs gets the modality's padding mask from `masks`.
   *
   * @param mode The fusion is in training mode unless `training` is `false`.
   * @throws {OptionError} If a modality has no input, or an encoder takes a padding mask and the batch has none.
   * @throws {ShapeError} If an input is not of the shape that its encoder was made for, the batches are not equally large, or one row is
   * too few for an encoder in training mode. No encoder runs in that case.
   */
  forward(batch: Inputs<M>, mode: PassMode<M>): Outputs<M> {
    return tf.tidy(() => {
      const pass = this.#checked(batch);
      for (const [modality, tensors] of pass.tensors)
        if (trainingOf(mode, modality)) this.#assertRows(modality, tensors, pass.present?.[modality]);
      const run = (by: PassMode<M>): Outputs<M> =>
        this.#run(pass, by, (modality, rows) => this.#encode(modality, rows, by));
      // Constants as a whole are not made of constant features.
      return {
        ...(mode.gradients === false ? asConstants(() => run({ ...mode, gradients: true })) : run(mode)),
      };
    });
  }

  /** As PyTorch, which expects more than one value for each channel. */
  #assertRows(modality: M, tensors: readonly tf.Tensor[], present: tf.Tensor1D | undefined): void {
    const least = this.minRows[modality];
    if (least === 1) return;
    const [samples, ...shape] = (tensors[0] as tf.Tensor).shape as [number, ...number[]];
    const rows = present && this.absentRows === 'skip' ? presentIndices(present).length : samples;
    if (rows === 0 || rows >= least) return;
    throw new ShapeError({
      argument: modality,
      expected: `at least ${least} rows in training mode: batch normalization has one value of a row in each channel, and one value has no variance. Take larger batches, or leave the last one out (\`dropLast\`)`,
      actual: [rows, ...shape],
    });
  }

  /** Features of all rows, by what `absentRows` says of those that are absent. */
  #features(
    modality: M,
    tensors: readonly tf.Tensor[],
    present: tf.Tensor1D | undefined,
    encode: (rows: () => tf.Tensor[]) => tf.Tensor2D,
  ): tf.Tensor2D {
    if (this.absentRows === 'zeros')
      return encode(() => tensors.map((tensor) => presentRows(tensor, present)));
    return presentRowsAlone(tensors, present, { width: this.#fusion.widths[modality], encode });
  }

  #encode(modality: M, rows: () => tf.Tensor[], mode: PassMode<M>): tf.Tensor2D {
    const training = trainingOf(mode, modality);
    const encoder = this.#encoders[modality];
    const run = (): tf.Tensor2D =>
      tf.tidy(() => {
        const given = rows();
        return encoder.apply(given.length === 1 ? (given[0] as tf.Tensor) : given, {
          training,
        }) as tf.Tensor2D;
      });
    const keeps = training && mode.runningStatistics === 'keep';
    const pass = keeps ? () => keeping(this.#statistics[modality], run) : run;
    return hasGradients(mode, modality) ? pass() : asConstants(pass);
  }

  /** A pass, whatever the encoders are. */
  #run(
    { tensors, samples, present, zeroed }: CheckedPass<M>,
    mode: PassMode<M>,
    encode: (modality: M, rows: () => tf.Tensor[]) => tf.Tensor2D,
  ): Outputs<M> {
    return tf.tidy(() => {
      const features = perModality<M, tf.Tensor2D>(this.modalities, (modality) => {
        const given = tensors.get(modality);
        if (!given) return tf.zeros([samples, this.#fusion.widths[modality]]);
        return this.#features(modality, given, present?.[modality], (rows) => encode(modality, rows));
      });
      const lacking = this.modalities.filter((modality) => !tensors.has(modality));
      const masks =
        lacking.length > 0
          ? { ...present, ...perModality(lacking, () => tf.zeros<tf.Rank.R1>([samples])) }
          : present;
      const training = mode.training !== false;
      return { ...this.#fuse(features, { training, present: masks, zeroed }, mode) };
    });
  }

  #fuse(features: PerModality<M, tf.Tensor2D>, pass: FusionPass<M>, mode: PassMode<M>): Outputs<M> {
    const run = (): Outputs<M> => this.#fusion.apply(features, pass);
    return pass.training && mode.runningStatistics === 'keep' ? keeping(this.#fusionStatistics, run) : run();
  }

  /**
   * The model for inference only, once its weights no longer change: a teacher, which runs in every step of its student. On
   * the `tensorflow` backend the encoders' batch normalization is folded into their convolutions. It is no copy: after a
   * change of the weights make another one.
   *
   * @param options `precision`: `'bfloat16'` for faster, rougher convolutions, see `freeze` in `@g2d/accelerate`.
   */
  freeze(options: { readonly precision?: Precision } = {}): FrozenMultimodalModel<M> {
    const encoders = perModality(this.modalities, (modality) => freeze(this.#encoders[modality], options));
    return {
      modalities: this.modalities,
      forward: (batch) =>
        tf.tidy(() => ({
          ...this.#run(
            this.#checked(batch),
            { training: false },
            (modality, rows) => encoders[modality].predict(rows())[0] as tf.Tensor2D,
          ),
        })),
      dispose: () => {
        for (const modality of this.modalities) encoders[modality].dispose();
      },
    };
  }

  /** The tensors that an encoder is to run on, once it is known that it can. */
  #tensors(modality: M, input: EncoderInput): readonly tf.Tensor[] {
    const encoder = this.#encoders[modality];
    if (!encoder) throw new UnknownModalityError({ modality, known: this.modalities, where: 'The model' });
    return inputTensors(modality, encoder, input);
  }

  /** What a pass runs on, once everything that it is given fits. Call it inside a `tf.tidy`. */
  #checked(batch: Inputs<M>): CheckedPass<M> {
    const { inputs, present, zeroed } = batch;
    const tensors = new Map<M, readonly tf.Tensor[]>();
    const all: NamedTensor[] = [];
    for (const modality of this.modalities) {
      const input = encoderInput(modality, this.#encoders[modality], batch);
      if (input) {
        tensors.set(modality, this.#tensors(modality, input));
        all.push(...named(modality, tensors.get(modality) as readonly tf.Tensor[]));
      } else if (!present?.[modality] && !zeroed?.[modality]) {
        throw new OptionError(
          `There is no input for ${modality}. A forward pass needs one for each of ${this.modalities.join(', ')}; for a modality that the whole batch lacks give \`present.${modality}\`, all 0.`,
          { option: 'inputs', value: input, accepted: 'a tensor [B, …] for every modality' },
        );
      }
    }
    const [first, ...others] = all;
    if (!first) {
      throw new OptionError(
        `There is no input for any of ${this.modalities.join(', ')}. A forward pass needs one at least.`,
        { option: 'inputs', value: inputs, accepted: 'a tensor [B, …] for one modality or more' },
      );
    }
    const masks = [present, zeroed].flatMap((by) =>
      this.modalities.flatMap((modality) => mask(modality, by?.[modality])),
    );
    const samples = commonBatch([first, ...others, ...masks]);
    for (const modality of this.modalities)
      if (!tensors.has(modality) && !present?.[modality])
        tensors.set(modality, zeroInputs(this.#encoders[modality], samples));
    return { tensors, samples, present, zeroed };
  }

  /** The group of every trainable variable, by the variable's name. */
  groups(): ReadonlyMap<string, ParameterGroup<M>> {
    return new Map(
      this.parameters.map(({ variable, modality, role }) => [variable.name, { modality, role }]),
    );
  }

  /**
   * Everything that a checkpoint holds, trainable or not (running statistics), by names that are the same in every
   * process: TensorFlow.js renames the variables of a second model (`…/kernel_1`), these names stay.
   */
  state(): ReadonlyMap<string, LayerVariable> {
    return this.#state;
  }

  /**
   * The whole network as an ordinary `LayersModel` of standard layers that shares the weights: one input for each
   * modality, in order; outputs `[z, u_1, …, u_k]` (only z with one modality, whose u it is). Save it with `save`; it loads
   * in plain TensorFlow.js.
   */
  toLayersModel(): LayersModel {
    const features = perModality(
      this.modalities,
      (modality) => this.#encoders[modality].outputs[0] as SymbolicTensor,
    );
    const { logits, unimodalLogits } = this.#fusion.symbolic(features);
    return model({
      inputs: this.modalities.flatMap((modality) => this.#encoders[modality].inputs),
      outputs: [
        logits,
        ...(this.modalities.length > 1 ? this.modalities.map((modality) => unimodalLogits[modality]) : []),
      ],
    });
  }
}
