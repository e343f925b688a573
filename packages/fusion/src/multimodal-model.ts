import * as tf from '@tensorflow/tfjs-core';
import {
  model,
  type LayerVariable,
  type layers,
  type LayersModel,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import {
  freeze,
  OptionError,
  perModality,
  ShapeError,
  UnknownModalityError,
  type PerModality,
  type Precision,
} from '@g2d/tensor-ops';
import type { Fusion, Outputs } from './fusion.js';
import { encoderRole, innerLayers } from './layer-roles.js';

/** How one pass runs. */
export interface PassMode {
  /** Batch statistics and moving running statistics (true), or running statistics that stay (false). */
  readonly training: boolean;
}

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

/** A shape whose batch is free, for a message: `[B, 257, 188, 1]`. */
const written = (shape: readonly (number | null)[]): string =>
  `[${['B', ...shape.slice(1).map((size) => size ?? 'any')].join(', ')}]`;

const inputShape = (encoder: LayersModel): (number | null)[] => encoder.inputs[0]?.shape as (number | null)[];

/** Throws unless an encoder takes one tensor and gives features of the fusion's width. */
function assertEncoder(modality: string, { inputs, outputs }: LayersModel, width: number): void {
  const features = outputs[0]?.shape as (number | null)[];
  if (inputs.length === 1 && outputs.length === 1 && features.length === 2 && features[1] === width) return;
  const actual = `${inputs.length} input${inputs.length === 1 ? '' : 's'} and gives ${outputs.map(({ shape }) => written(shape)).join(' and ')}`;
  throw new OptionError(
    `The encoder for ${modality} takes ${actual}, but the fusion needs one input and features [B, ${width}]. Give the fusion the encoder's width.`,
    { option: 'encoders', value: actual, accepted: `one input, features [B, ${width}]` },
  );
}

/** A model whose encoders no longer change, see `MultimodalModel.freeze`. */
export interface FrozenMultimodalModel<M extends string> {
  readonly modalities: readonly M[];
  /** Everything in one pass, in inference mode; dispose the outputs. */
  forward(inputs: PerModality<M, tf.Tensor>): Outputs<M>;
  /** Frees the folded weights. The model stays. */
  dispose(): void;
}

const cloned = (tensor: tf.Tensor2D | undefined): tf.Tensor2D | undefined => tensor && tf.clone(tensor);

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
  readonly #encoders: PerModality<M, LayersModel>;
  readonly #fusion: Fusion<M>;
  readonly #groups: ReadonlyMap<string, ParameterGroup<M>>;
  readonly #state: ReadonlyMap<string, LayerVariable>;

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
  }

  /**
   * An encoder's features `[B, D_m]` of one modality's input `[B, …]`.
   *
   * @throws {UnknownModalityError} If the model has no such modality.
   * @throws {ShapeError} If the input is not of the shape that the encoder was made for.
   */
  encode(modality: M, input: tf.Tensor, { training }: PassMode): tf.Tensor2D {
    this.#assertInput(modality, input);
    return this.#encoders[modality].apply(input, { training }) as tf.Tensor2D;
  }

  /** Fused logits z `[B, C]` from the encoders' features, as `encode` gives them. */
  fuse(features: PerModality<M, tf.Tensor2D>): tf.Tensor2D {
    return tf.tidy(() => this.#fusion.apply(features).logits);
  }

  /** Logits u_m `[B, C]` of each modality alone, from the encoders' features, as `encode` gives them. */
  unimodalLogits(features: PerModality<M, tf.Tensor2D>): PerModality<M, tf.Tensor2D> {
    return tf.tidy(() => ({ ...this.#fusion.apply(features).unimodalLogits }));
  }

  /**
   * Everything in one pass: encode each modality, fuse, and each modality's own logits.
   *
   * @throws {OptionError} If a modality has no input.
   * @throws {ShapeError} If an input is not of the shape that its encoder was made for, or the batches are not equally
   * large. No encoder runs in that case.
   * @param ready Features of modalities that are encoded already, outside of the pass that is differentiated; they stay
   * the caller's.
   */
  forward(
    inputs: PerModality<M, tf.Tensor>,
    mode: PassMode,
    ready?: Readonly<Partial<Record<M, tf.Tensor2D>>>,
  ): Outputs<M> {
    for (const modality of this.modalities) this.#assertInput(modality, inputs[modality]);
    this.#assertOneBatch(inputs);
    return tf.tidy(() => {
      const features = perModality<M, tf.Tensor2D>(
        this.modalities,
        (modality) => cloned(ready?.[modality]) ?? this.encode(modality, inputs[modality], mode),
      );
      return { ...this.#fusion.apply(features) };
    });
  }

  /**
   * The model for inference only, once its weights no longer change: a teacher, which runs in every step of its student. On
   * the `tensorflow` backend the encoders' batch normalization is folded into their convolutions. It is no copy: after a
   * change of the weights make another one.
   *
   * @param options `precision`: `'bfloat16'` for faster, rougher convolutions, see `freeze` in `@g2d/tensor-ops`.
   */
  freeze(options: { readonly precision?: Precision } = {}): FrozenMultimodalModel<M> {
    const encoders = perModality(this.modalities, (modality) => freeze(this.#encoders[modality], options));
    const check = (inputs: PerModality<M, tf.Tensor>): void => {
      for (const modality of this.modalities) this.#assertInput(modality, inputs[modality]);
      this.#assertOneBatch(inputs);
    };
    return {
      modalities: this.modalities,
      forward: (inputs) => {
        check(inputs);
        return tf.tidy(() => {
          const features = perModality(
            this.modalities,
            (modality) => encoders[modality].predict([inputs[modality]])[0] as tf.Tensor2D,
          );
          return { ...this.#fusion.apply(features) };
        });
      },
      dispose: () => {
        for (const modality of this.modalities) encoders[modality].dispose();
      },
    };
  }

  #assertInput(modality: M, input: tf.Tensor | undefined): void {
    const encoder = this.#encoders[modality];
    if (!encoder) {
      throw new UnknownModalityError({ modality, known: this.modalities, where: 'The model' });
    }
    if (!input) {
      throw new OptionError(
        `There is no input for ${modality}. A forward pass needs one for each of ${this.modalities.join(', ')}.`,
        { option: 'inputs', value: input, accepted: 'a tensor [B, …] for every modality' },
      );
    }
    const expected = inputShape(encoder);
    const fits =
      input.shape.length === expected.length &&
      expected.every((size, axis) => axis === 0 || size === null || size === input.shape[axis]);
    if (!fits) throw new ShapeError({ argument: modality, expected: written(expected), actual: input.shape });
  }

  #assertOneBatch(inputs: PerModality<M, tf.Tensor>): void {
    const [first, ...others] = this.modalities;
    if (first === undefined) return;
    const batch = inputs[first].shape[0];
    for (const modality of others) {
      const { shape } = inputs[modality];
      if (shape[0] === batch) continue;
      throw new ShapeError({
        argument: modality,
        expected: `[${[batch, ...shape.slice(1)].join(', ')}], as many samples as \`${first}\` has`,
        actual: shape,
      });
    }
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
