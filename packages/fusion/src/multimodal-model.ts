import * as tf from '@tensorflow/tfjs-core';
import {
  model,
  type LayerVariable,
  type layers,
  type LayersModel,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { freeze, type Precision } from '@g2d/accelerate';
import { OptionError, perModality, ShapeError, UnknownModalityError, type PerModality } from '@g2d/core';
import {
  assertEncoder,
  commonBatch,
  inputTensors,
  mask,
  named,
  type EncoderInput,
  type NamedTensor,
} from './encoder-input.js';
import type { Fusion, Outputs, Presence } from './fusion.js';
import { encoderRole, innerLayers } from './layer-roles.js';
import { asConstants, keeping, trainingOf, type PassMode } from './pass-mode.js';
import { presentRows } from './presence.js';

/** Which part of a model a variable belongs to. */
export interface ParameterGroup<M extends string> {
  /** `undefined` for variables that all modalities share. */
  readonly modality: M | undefined;
  /**
   * Convolution kernel; normalization scale or shift; other parts of an encoder; layer of the fusion that serves one
   * modality; layer that serves all.
   */
  readonly role: 'conv' | 'norm' | 'encoder' | 'head' | 'shared';
}

/** What a pass over a batch is given beside the inputs. */
export interface PassOptions<M extends string> {
  /** Features of modalities that are encoded already; they stay the caller's. Their inputs are not looked at. */
  readonly ready?: Readonly<Partial<Record<M, tf.Tensor2D>>> | undefined;
  /** Which samples have which modality; default: all have all. */
  readonly present?: Presence<M> | undefined;
}

/** Inputs of a pass in which some modality has none. */
export type PartialInputs<M extends string> = Readonly<Partial<Record<M, EncoderInput>>>;

/** What a pass runs on. */
interface CheckedPass<M extends string> {
  /** Of the modalities that are to be encoded. */
  readonly tensors: ReadonlyMap<M, readonly tf.Tensor[]>;
  /** How many samples. */
  readonly batch: number;
}

const inMode = <M extends string, T>({ gradients = true }: PassMode<M>, run: () => T): T =>
  gradients ? run() : asConstants(run);

/** A model whose encoders no longer change, see `MultimodalModel.freeze`. */
export interface FrozenMultimodalModel<M extends string> {
  readonly modalities: readonly M[];
  /** Everything in one pass, in inference mode; dispose the outputs. */
  forward(inputs: PerModality<M, EncoderInput>): Outputs<M>;
  /** The same with features that are ready, or where samples lack a modality. */
  forward(inputs: PartialInputs<M>, options: PassOptions<M>): Outputs<M>;
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
 * const { logits } = student.forward({ audio: spectrograms, image: images }, { training: false });
 */
export class MultimodalModel<M extends string> {
  readonly modalities: readonly M[];
  /** Trainable variables in one order that never changes: encoders in the modalities' order, then the fusion. */
  readonly variables: readonly tf.Variable[];
  /** Shapes of the tensors that each encoder takes, mostly one; `null` for the batch and free axes. */
  readonly inputShapes: PerModality<M, readonly (readonly (number | null)[])[]>;
  readonly #encoders: PerModality<M, LayersModel>;
  readonly #fusion: Fusion<M>;
  readonly #groups: ReadonlyMap<string, ParameterGroup<M>>;
  readonly #state: ReadonlyMap<string, LayerVariable>;
  /** Variables of each encoder that passes change, not optimizers: running statistics. */
  readonly #statistics: PerModality<M, readonly LayerVariable[]>;

  /**
   * @throws {OptionError} If encoders and fusion do not have the same modalities, an encoder's features are not as wide
   * as the fusion expects, or layers share a name.
   */
  constructor({
    encoders,
    fusion,
  }: {
    readonly encoders: PerModality<M, LayersModel>;
    readonly fusion: Fusion<M>;
  }) {
    const names = Object.keys(encoders);
    if ([...names].sort().join() !== [...fusion.modalities].sort().join()) {
      throw new OptionError(
        `The encoders are for ${names.join(', ')} but the fusion for ${fusion.modalities.join(', ')}. Give both the same modalities.`,
        { option: 'encoders', value: names, accepted: fusion.modalities.join(', ') },
      );
    }
    for (const modality of fusion.modalities)
      assertEncoder(modality, encoders[modality], fusion.widths[modality]);
    this.modalities = fusion.modalities;
    this.#encoders = encoders;
    this.inputShapes = perModality(this.modalities, (modality) =>
      encoders[modality].inputs.map(({ shape }) => shape as (number | null)[]),
    );
    this.#fusion = fusion;

    const groups = new Map<string, ParameterGroup<M>>();
    const variables: tf.Variable[] = [];
    const state = new Map<string, LayerVariable>();
    const add = (layer: layers.Layer, group: (variable: string) => ParameterGroup<M>): void => {
      for (const weight of layer.weights) {
        const other = state.get(weight.originalName);
        if (other && other !== weight) {
          throw new OptionError(
            `Two layers have a variable "${weight.originalName}", so a checkpoint would keep only one. Give every layer a name of its own, such as "<modality>/conv1".`,
            { option: 'encoders', value: weight.originalName, accepted: 'distinct layer names' },
          );
        }
        state.set(weight.originalName, weight);
      }
      for (const weight of layer.trainableWeights) {
        const variable = weight.read() as tf.Variable;
        const known = groups.get(variable.name);
        if (known) {
          // A layer of two encoders belongs to neither.
          const { modality } = group(weight.originalName);
          if (known.modality !== modality) groups.set(variable.name, { modality: undefined, role: 'shared' });
          continue;
        }
        groups.set(variable.name, group(weight.originalName));
        variables.push(variable);
      }
    };
    for (const modality of this.modalities) {
      for (const layer of encoders[modality].layers.flatMap(innerLayers)) {
        add(layer, (variable) => ({ modality, role: encoderRole(layer, variable) }));
      }
    }
    for (const { layer, modality } of fusion.layers) {
      add(layer, () => ({ modality, role: modality === undefined ? 'shared' : 'head' }));
    }
    this.#groups = groups;
    this.variables = variables;
    this.#state = state;
    this.#statistics = perModality(this.modalities, (modality) =>
      encoders[modality].layers
        .flatMap(innerLayers)
        .flatMap(({ weights }) => weights)
        .filter(({ trainable }) => !trainable),
    );
  }

  /**
   * An encoder's features `[B, D_m]` of one modality's input `[B, …]`.
   *
   * @param present Samples that have the modality; default: all. The others' input is 0 to the encoder, and so are their
   * features.
   * @throws {UnknownModalityError} If the model has no such modality.
   * @throws {OptionError} If the encoder takes more or fewer tensors.
   * @throws {ShapeError} If the input is not of the shape that the encoder was made for.
   */
  encode(modality: M, input: EncoderInput, mode: PassMode<M>, present?: tf.Tensor1D): tf.Tensor2D {
    const tensors = this.#tensors(modality, input);
    commonBatch([...named(modality, tensors), ...mask(modality, present)]);
    return inMode(mode, () =>
      tf.tidy(() => {
        const seen = tensors.map((tensor) => presentRows(tensor, present));
        return presentRows(this.#encode(modality, seen, mode), present);
      }),
    );
  }

  /** Fused logits z `[B, C]` from the encoders' features, as `encode` gives them. */
  fuse(features: PerModality<M, tf.Tensor2D>, present?: Presence<M>): tf.Tensor2D {
    return tf.tidy(() => this.#fusion.apply(features, present).logits);
  }

  /** Logits u_m `[B, C]` of each modality alone, from the encoders' features, as `encode` gives them. */
  unimodalLogits(features: PerModality<M, tf.Tensor2D>, present?: Presence<M>): PerModality<M, tf.Tensor2D> {
    return tf.tidy(() => ({ ...this.#fusion.apply(features, present).unimodalLogits }));
  }

  /**
   * Everything in one pass: encode each modality, fuse, and each modality's own logits.
   *
   * With `present`, what stands in the inputs of absent samples changes nothing, NaN included: it is 0 to the encoder (whose
   * batch statistics count these zeros), the features are 0, and the fusion leaves the modality out as far as it can. The
   * reference's way of missing modalities, inputs multiplied by 0 that are encoded and fused like any other, is a pass on
   * such inputs without masks.
   *
   * A modality that the whole batch lacks needs no input if `present` has a mask for it: its encoder does not run, and it is
   * absent in every sample, whatever the mask says. What a batch has of modalities that the model does not know is not looked
   * at, masks neither.
   *
   * @throws {OptionError} If a modality has no input, or an encoder takes more or fewer tensors.
   * @throws {ShapeError} If an input is not of the shape that its encoder was made for, or the batches are not equally
   * large. No encoder runs in that case.
   */
  forward(inputs: PerModality<M, EncoderInput>, mode: PassMode<M>): Outputs<M>;
  forward(inputs: PartialInputs<M>, mode: PassMode<M>, options: PassOptions<M>): Outputs<M>;
  forward(inputs: PartialInputs<M>, mode: PassMode<M>, options: PassOptions<M> = {}): Outputs<M> {
    const pass = this.#checked(inputs, options);
    for (const modality of pass.tensors.keys()) trainingOf(mode, modality);
    return inMode(mode, () =>
      this.#run(pass, options, (modality, tensors) => this.#encode(modality, tensors, mode)),
    );
  }

  #encode(modality: M, tensors: readonly tf.Tensor[], mode: PassMode<M>): tf.Tensor2D {
    const training = trainingOf(mode, modality);
    const encoder = this.#encoders[modality];
    const run = (): tf.Tensor2D =>
      encoder.apply(tensors.length === 1 ? (tensors[0] as tf.Tensor) : [...tensors], {
        training,
      }) as tf.Tensor2D;
    const keeps = training && mode.runningStatistics === 'keep';
    return keeps ? keeping(this.#statistics[modality], run) : run();
  }

  /** A pass, whatever the encoders are. */
  #run(
    { tensors, batch }: CheckedPass<M>,
    { ready, present }: PassOptions<M>,
    encode: (modality: M, tensors: readonly tf.Tensor[]) => tf.Tensor2D,
  ): Outputs<M> {
    return tf.tidy(() => {
      const features = perModality<M, tf.Tensor2D>(this.modalities, (modality) => {
        const [known, given] = [ready?.[modality], tensors.get(modality)];
        if (known) return tf.clone(known);
        if (!given) return tf.zeros([batch, this.#fusion.widths[modality]]);
        return encode(
          modality,
          given.map((tensor) => presentRows(tensor, present?.[modality])),
        );
      });
      const lacking = this.modalities.filter((modality) => !ready?.[modality] && !tensors.has(modality));
      const masks =
        lacking.length > 0
          ? { ...present, ...perModality(lacking, () => tf.zeros<tf.Rank.R1>([batch])) }
          : present;
      return { ...this.#fusion.apply(features, masks) };
    });
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
      forward: (inputs: PartialInputs<M>, passOptions: PassOptions<M> = {}) =>
        this.#run(
          this.#checked(inputs, passOptions),
          passOptions,
          (modality, tensors) => encoders[modality].predict(tensors)[0] as tf.Tensor2D,
        ),
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

  /** What a pass runs on, once everything that it is given fits. */
  #checked(inputs: PartialInputs<M>, { ready, present }: PassOptions<M>): CheckedPass<M> {
    const tensors = new Map<M, readonly tf.Tensor[]>();
    const all: NamedTensor[] = [];
    for (const modality of this.modalities) {
      const [known, input] = [ready?.[modality], inputs[modality]];
      if (known) {
        const width = this.#fusion.widths[modality];
        const argument = `ready.${modality}`;
        if (known.shape.length !== 2 || known.shape[1] !== width)
          throw new ShapeError({ argument, expected: `[B, ${width}]`, actual: known.shape });
        all.push({ name: argument, tensor: known });
      } else if (input) {
        tensors.set(modality, this.#tensors(modality, input));
        all.push(...named(modality, tensors.get(modality) as readonly tf.Tensor[]));
      } else if (!present?.[modality]) {
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
    const masks = this.modalities.flatMap((modality) => mask(modality, present?.[modality]));
    return { tensors, batch: commonBatch([first, ...others, ...masks]) };
  }

  /** The group of every trainable variable, by the variable's name. */
  groups(): ReadonlyMap<string, ParameterGroup<M>> {
    return this.#groups;
  }

  /**
   * Everything that a checkpoint holds, trainable or not (running statistics), by names that are the same in every
   * process: TensorFlow.js renames the variables of a second model (`…/kernel_1`), these names stay.
   */
  state(): ReadonlyMap<string, LayerVariable> {
    return this.#state;
  }

  /** The names that {@link state} gives to variables, by those that they have in this process. */
  stableNames(): ReadonlyMap<string, string> {
    return new Map(
      Array.from(this.#state, ([stable, weight]) => [(weight.read() as tf.Variable).name, stable]),
    );
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
