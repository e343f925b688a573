import * as tf from '@tensorflow/tfjs-core';
import {
  model,
  type LayerVariable,
  type layers,
  type LayersModel,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { OptionError, perModality, UnknownModalityError, type PerModality } from '@g2d/tensor-ops';
import type { Fusion } from './fusion.js';

/** How one pass runs. */
export interface PassMode {
  /** Batch statistics and moving running statistics (true), or running statistics that stay (false). */
  readonly training: boolean;
}

/** What a model gives back. */
export interface Outputs<M extends string> {
  /** f_m `[B, D_m]`. */
  readonly features: PerModality<M, tf.Tensor2D>;
  /** z `[B, C]`. */
  readonly logits: tf.Tensor2D;
  /** u_m `[B, C]`. */
  readonly unimodalLogits: PerModality<M, tf.Tensor2D>;
}

/** Which part of a model a variable belongs to. */
export interface ParameterGroup<M extends string> {
  /** `undefined` for variables that all modalities share. */
  readonly modality: M | undefined;
  /** Convolution kernel, normalization scale or shift, other parts of an encoder, classifier of one modality, shared. */
  readonly role: 'conv' | 'norm' | 'encoder' | 'head' | 'shared';
}

const NORMALIZATION = new Set(['BatchNormalization', 'LayerNormalization']);

/** Role of an encoder's variable, from the layer that made it. */
function encoderRole(layer: layers.Layer, variable: string): ParameterGroup<string>['role'] {
  if (NORMALIZATION.has(layer.getClassName())) return 'norm';
  return layer.getClassName().includes('Conv') && variable.endsWith('kernel') ? 'conv' : 'encoder';
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
  readonly #encoders: PerModality<M, LayersModel>;
  readonly #fusion: Fusion<M>;
  readonly #groups: ReadonlyMap<string, ParameterGroup<M>>;
  readonly #state: ReadonlyMap<string, LayerVariable>;

  /** @throws {OptionError} If encoders and fusion do not have the same modalities, or layers share a name. */
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
        if (groups.has(variable.name)) continue;
        groups.set(variable.name, group(weight.originalName));
        variables.push(variable);
      }
    };
    for (const modality of this.modalities) {
      for (const layer of encoders[modality].layers) {
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

  /** Features f_m `[B, D_m]` of one modality's input `[B, …]`. */
  encode(modality: M, input: tf.Tensor, { training }: PassMode): tf.Tensor2D {
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
    return encoder.apply(input, { training }) as tf.Tensor2D;
  }

  /** Fused logits z `[B, C]`. */
  fuse(features: PerModality<M, tf.Tensor2D>): tf.Tensor2D {
    return this.#fusion.fuse(features);
  }

  /** Logits u_m `[B, C]` of each modality alone. */
  unimodalLogits(features: PerModality<M, tf.Tensor2D>): Record<M, tf.Tensor2D> {
    return this.#fusion.unimodalLogits(features);
  }

  /** Everything at once: encode each modality, fuse, and each modality's own logits. */
  forward(inputs: PerModality<M, tf.Tensor>, mode: PassMode): Outputs<M> {
    const features = perModality(this.modalities, (modality) =>
      this.encode(modality, inputs[modality], mode),
    );
    return { features, logits: this.fuse(features), unimodalLogits: this.unimodalLogits(features) };
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
   * The whole network as an ordinary `LayersModel` that shares the weights: one input for each modality, in order;
   * outputs `[z, u_1, …, u_k]` (only z with one modality, whose u it is). Save it with `save`; it loads in plain TensorFlow.js.
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
