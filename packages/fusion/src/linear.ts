import * as tf from '@tensorflow/tfjs-core';
import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { initializeWeights } from '@g2d/encoders';

/** A linear layer with its initial weights, x ↦ W x + b, and its parts. */
export interface Linear {
  readonly layer: layers.Layer;
  /** Wᵀ `[D, C]`. */
  readonly kernel: () => tf.Tensor2D;
  /** b `[C]`. */
  readonly bias: () => tf.Tensor1D;
  /** W x + b. */
  apply(x: tf.Tensor2D): tf.Tensor2D;
  symbolic(x: SymbolicTensor): SymbolicTensor;
}

/** A linear layer `[B, width]` → `[B, units]` of the given name. */
export function linear(
  name: string,
  { width, units, seed }: { readonly width: number; readonly units: number; readonly seed: number },
): Linear {
  const layer = layers.dense({ name, units });
  const features = input({ shape: [width] });
  initializeWeights(model({ inputs: features, outputs: layer.apply(features) as SymbolicTensor }), seed);
  return {
    layer,
    kernel: () => layer.weights[0]?.read() as tf.Tensor2D,
    bias: () => layer.weights[1]?.read() as tf.Tensor1D,
    apply: (x) => layer.apply(x) as tf.Tensor2D,
    symbolic: (x) => layer.apply(x) as SymbolicTensor,
  };
}

/** W x + b / k: a modality's part of logits whose bias all k modalities have in common. */
export const withShareOfBias = (product: tf.Tensor2D, bias: tf.Tensor1D, modalities: number): tf.Tensor2D =>
  tf.add(product, tf.div(bias, modalities));

/**
 * The same on symbolic tensors: W x + b − (1 − 1/k) b. No standard layer divides a weight, but the layer itself gives b
 * for an x of zeros, so the weights stay shared.
 */
export function symbolicWithShareOfBias(
  name: string,
  head: Linear,
  x: SymbolicTensor,
  modalities: number,
): SymbolicTensor {
  const logits = head.symbolic(x);
  if (modalities === 1) return logits;
  const bias = head.symbolic(zeros(`${name}/zeros`, x));
  const rest = layers
    .rescaling({ name: `${name}/rest-of-bias`, scale: 1 / modalities - 1 })
    .apply(bias) as SymbolicTensor;
  return layers.add({ name: `${name}/logits` }).apply([logits, rest]) as SymbolicTensor;
}

/** Σ of tensors of one shape; of one alone, itself. */
export const sumOf = (terms: readonly tf.Tensor2D[]): tf.Tensor2D =>
  terms.length === 1 ? (terms[0] as tf.Tensor2D) : tf.addN([...terms]);

/** The same on symbolic tensors. */
export const symbolicSumOf = (name: string, terms: readonly SymbolicTensor[]): SymbolicTensor =>
  terms.length === 1
    ? (terms[0] as SymbolicTensor)
    : (layers.add({ name }).apply([...terms]) as SymbolicTensor);

/** Zeros of a value's shape. */
export const zeros = (name: string, x: SymbolicTensor): SymbolicTensor =>
  layers.rescaling({ name, scale: 0 }).apply(x) as SymbolicTensor;
