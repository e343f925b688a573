import * as tf from '@tensorflow/tfjs-core';
import { nextDropout } from '../dropout-seed.js';
import type { Tensor } from '../layers-types.js';
import { activate, addActivated, isLinear, LINEAR, type Activation } from '../kernels/activation.js';
import { batchNorm, batchNormAdd, batchNormReluMaxPool } from '../kernels/batch-norm.js';
import type { BatchNormAttributes, BatchNormInputs, BatchNormResult } from '../kernels/batch-norm-types.js';
import type { Precision } from '../kernels/bfloat16.js';
import { conv2d, conv2dWithBias } from '../kernels/conv2d.js';
import {
  depthwise as depthwiseKernel,
  depthwiseWithBias,
  type DepthwiseWindow,
} from '../kernels/depthwise.js';
import { anySeed, dropout as dropoutKernel, plainDropout } from '../kernels/dropout.js';
import { canFuseLayerNorm, fusedLayerNorm } from '../kernels/fused-layer-norm.js';
import { globalAverage as globalAverageKernel } from '../kernels/global-average.js';
import { layerNorm } from '../kernels/layer-norm.js';
import { biasAdd, linear as linearKernel } from '../kernels/linear.js';
import { maxPool, withNonFinite, type PaddedWindow } from '../kernels/max-pool.js';
import { padKernel, type Padding } from '../kernels/pad.js';
import { boundary, reshape as reshapeKernel } from '../kernels/reshape.js';
import type { WindowAttributes } from '../kernels/window-attributes.js';
import { ShapeError } from '@g2d/core';
import type { Layer, Node } from './graph.js';
import { isMaxPooling, kind, type Following } from './layer-facts.js';
import { runProgram, type Program, type Step } from './program.js';

interface Weight {
  read(): Tensor;
  write(value: Tensor): void;
}

type WeightOf = Readonly<Record<string, Weight | null | undefined>>;

const ids = (tensors: readonly { readonly id: number }[]): number[] => tensors.map(({ id }) => id);

/** What TensorFlow.js checks before a layer runs: axes and channels; TensorFlow itself may abort the process on a wrong rank. */
export function assertCompatible(layer: Layer, x: Tensor): void {
  (layer as unknown as { assertInputCompatibility(inputs: Tensor[]): void }).assertInputCompatibility([x]);
}

/** A step of our own kernels: one value in, one out. */
function unary(
  node: Node,
  run: (x: Tensor, training: boolean) => Tensor,
  {
    input = node.inputTensors[0]!.id,
    last = node,
    keepsType = false,
  }: { input?: number; last?: Node; keepsType?: boolean } = {},
): Step {
  return {
    inputs: [input],
    outputs: ids(last.outputTensors),
    foreign: false,
    run: ([x], training) => {
      // Frames are checked where they are taken apart: TimeDistributed knows the size after padding, not before.
      if (kind(node.outboundLayer) !== 'TimeDistributed') assertCompatible(node.outboundLayer, x as Tensor);
      return [withFloats(x as Tensor, (floats) => run(floats, training), keepsType)];
    },
  };
}

/** The kernels take float32; a layer of the user's own may have given something else. */
function withFloats(x: Tensor, run: (x: Tensor) => Tensor, keepsType: boolean): Tensor {
  if (x.dtype === 'float32') return run(x);
  const floats = tf.cast(x, 'float32');
  const y = run(floats);
  floats.dispose();
  if (!keepsType) return y;
  const original = tf.cast(y, x.dtype);
  y.dispose();
  return original;
}

/** Applies functions one after the other and disposes what lies between. */
function chain(x: Tensor, ...functions: ((x: Tensor) => Tensor)[]): Tensor {
  return functions.reduce((value, f) => {
    const next = f(value);
    if (value !== x && value !== next) value.dispose();
    return next;
  }, x);
}

/** Runs on `[B·T, H, W, C]` what is asked of `[B, T, H, W, C]`. */
function onFrames(frames: boolean, run: (x: Tensor) => Tensor): (x: Tensor) => Tensor {
  if (!frames) return run;
  return (x) => {
    if (x.rank !== 5) {
      throw new ShapeError({ argument: 'inputs', expected: '[B, T, H, W, C], frames', actual: x.shape });
    }
    const [batch, time, ...image] = x.shape as [number, number, ...number[]];
    return chain(
      x,
      (value) => reshapeKernel(value, [batch * time, ...image]),
      run,
      (value) => reshapeKernel(value, [batch, time, ...value.shape.slice(1)]),
    );
  };
}

const identity = (x: Tensor): Tensor => x;

/** What a layer applies to its own result. */
function follow(layer: Layer, activation: Following): (x: Tensor) => Tensor {
  if (activation !== 'own') return (x) => (isLinear(activation) ? x : activate(x, activation));
  const own = (layer as unknown as { activation: { apply(x: Tensor): Tensor } }).activation;
  // Its gradient is TensorFlow.js's, which may give one tensor twice: see `runProgram`.
  return (x) => {
    const guard = boundary(x);
    const y = own.apply(guard);
    guard.dispose();
    return y;
  };
}

/** The layer itself. Running variances move as PyTorch's do on every backend. */
export function layer(node: Node): Step {
  const { outboundLayer } = node;
  const poolsMaxima = isMaxPooling(outboundLayer);
  return {
    inputs: ids(node.inputTensors),
    outputs: ids(node.outputTensors),
    foreign: true,
    run: (values, training) => {
      const apply = (): Tensor[] => {
        const result = outboundLayer.apply(values.length === 1 ? (values[0] as Tensor) : values, {
          training,
        });
        const outputs = (Array.isArray(result) ? result : [result]) as Tensor[];
        if (!poolsMaxima) return outputs;
        const pooled = maximaWithNonFinite(outboundLayer, values[0] as Tensor, outputs[0] as Tensor);
        tf.dispose(outputs);
        return [pooled];
      };
      return training && outboundLayer.getClassName() === 'BatchNormalization'
        ? withUnbiasedVariance(outboundLayer, values[0] as Tensor, apply)
        : apply();
    },
  };
}

/** What a layer of maximum pooling gave, as `maxPool` gives it: TensorFlow.js passes over NaN on every backend. */
function maximaWithNonFinite(layer: Layer, x: Tensor, pooled: Tensor): Tensor {
  // The inside of a custom gradient is not recorded.
  const carry = tf.customGrad((y) => ({
    value: withNonFinite(x, y as Tensor, (marks) => layer.apply(marks) as Tensor),
    gradFunc: (dy: Tensor) => tf.clone(dy),
  }));
  return carry(pooled);
}

/**
 * The maximum over time, or over height and width, by the layer itself, with PyTorch's gradient: the first of equal maxima has it. TensorFlow.js gives the
 * whole of it to each of them, and behind a ReLU, or over padding, there are many.
 */
export function globalMaximum(node: Node): Step {
  const itself = layer(node);
  const run = tf.customGrad((x, save) => {
    const given = x as Tensor;
    (save as (tensors: Tensor[]) => void)([given]);
    return {
      value: itself.run([given], false)[0] as Tensor,
      gradFunc: (dy: Tensor, [saved]: Tensor[]) => gradientOfMaximum(dy, saved as Tensor),
    };
  });
  return { ...itself, run: ([x]) => [run(x as Tensor)] };
}

/** dy `[B, C]` where x `[B, …, C]` has its first maximum, else 0. */
function gradientOfMaximum(dy: Tensor, x: Tensor): Tensor {
  const [batch, channels] = [x.shape[0] as number, x.shape.at(-1) as number];
  const rows = tf.reshape(x, [batch, -1, channels]);
  // Of numbers: the WASM backend does not transpose booleans.
  const places = tf.oneHot(tf.argMax(rows, 1), rows.shape[1] as number, 1, 0, 'float32');
  const isFirst = tf.greater(tf.transpose(places, [0, 2, 1]), 0);
  const spread = tf.mul(tf.reshape(dy, [batch, 1, channels]), tf.onesLike(rows));
  return tf.reshape(tf.where(isFirst, spread, tf.zerosLike(rows)), x.shape);
}

/** Dropout by the seed that `withDropoutSeed` gives; where there is none, by any on the fast kernels, by the layer itself elsewhere. */
export function dropout(node: Node, rate: number, fast: boolean): Step {
  const itself = layer(node);
  return {
    ...itself,
    foreign: !fast,
    run: (values, training) => {
      const x = values[0] as Tensor;
      const ours = training && x.dtype === 'float32';
      const drawn = ours ? nextDropout(node.outboundLayer.name) : undefined;
      const { seed = anySeed(), index: part = 0 } = drawn ?? {};
      if (fast && ours) return [dropoutKernel(x, { rate, seed, part })];
      if (fast && !training) return [reshaped(x, x.shape)];
      return drawn ? [plainDropout(x, { rate, seed, part })] : itself.run(values, training);
    },
  };
}

/** Plain layers move the running variance by the biased variance of the batch, σ²; PyTorch by σ² n / (n − 1). */
function withUnbiasedVariance(batchNormalization: Layer, x: Tensor, apply: () => Tensor[]): Tensor[] {
  const { axis, momentum } = batchNormalization.getConfig() as { axis: number; momentum: number };
  const count = x.size / (x.shape.at(axis) as number);
  const variance = (batchNormalization as unknown as WeightOf)['movingVariance'] as Weight;
  const kept = tf.mul(variance.read(), momentum);
  const outputs = apply();
  tf.tidy(() => {
    const moved = tf.sub(variance.read(), kept);
    variance.write(tf.add(kept, tf.mul(moved, count / Math.max(1, count - 1))));
  });
  kept.dispose();
  return outputs;
}

/** A model in a model. */
export function nested(node: Node, inner: Program, fast: boolean): Step {
  return {
    inputs: ids(node.inputTensors),
    outputs: ids(node.outputTensors),
    foreign: !fast,
    run: (values, training) => runProgram(inner, values, training, fast),
    constants: inner.constants,
  };
}

/** Zeros around an image. */
export const pad = (node: Node, frames: boolean, padding: Padding): Step =>
  unary(
    node,
    onFrames(frames, (x) => padKernel(x, padding, 0)),
    { keepsType: true },
  );

/** Which layer slides its window over which value. */
interface Source {
  readonly layer: Layer;
  readonly frames: boolean;
  readonly input: number;
}

type Convolution = WindowAttributes & { readonly useBias: boolean; readonly activation: Following };

const windowOf = ({ strides, padding }: Convolution): WindowAttributes => ({ strides, padding });

/** Convolution with everything that its layer does after it. */
export function convolution(
  node: Node,
  { layer, frames, input }: Source,
  options: Convolution,
  precision: Precision,
): Step {
  const { kernel, bias } = layer as unknown as WeightOf;
  const run = (image: Tensor): Tensor => {
    assertCompatible(layer, image);
    return chain(
      image,
      (x) => conv2d(x, (kernel as Weight).read(), windowOf(options), precision),
      options.useBias ? (x) => biasAdd(x, (bias as Weight).read()) : identity,
      follow(layer, options.activation),
    );
  };
  return unary(node, onFrames(frames, run), { input });
}

type DepthwiseOptions = DepthwiseWindow & { readonly useBias: boolean; readonly activation: Following };

/** Convolution of each channel by itself with everything that its layer does after it. */
export function depthwise(node: Node, { layer, frames, input }: Source, options: DepthwiseOptions): Step {
  const { depthwiseKernel: kernel, bias } = layer as unknown as WeightOf;
  const run = (image: Tensor): Tensor => {
    assertCompatible(layer, image);
    return chain(
      image,
      (x) => depthwiseKernel(x, (kernel as Weight).read(), options),
      options.useBias ? (x) => biasAdd(x, (bias as Weight).read()) : identity,
      follow(layer, options.activation),
    );
  };
  return unary(node, onFrames(frames, run), { input });
}

/** The weights of now, with the batch normalization after them folded in: w γ/σ, and β + (b − μ) γ/σ. They are kept. */
function folded(
  kernel: Weight,
  bias: Weight | null,
  normalization: Node | null,
  outputs: number[],
): [Tensor, Tensor] {
  const [filter, offset] = tf.tidy(() => {
    const w = kernel.read();
    const b = bias ? bias.read() : tf.zeros([outputs.reduce((product, size) => product * size, 1)]);
    if (!normalization) return [tf.clone(w), tf.clone(b)];
    const { gamma, beta, movingMean, movingVariance } = normalization.outboundLayer as unknown as WeightOf;
    const { epsilon } = normalization.outboundLayer.getConfig() as { epsilon: number };
    const inverse = tf.rsqrt(tf.add((movingVariance as Weight).read(), epsilon));
    const scale = gamma ? tf.mul(gamma.read(), inverse) : inverse;
    const shifted = tf.mul(tf.sub(b, (movingMean as Weight).read()), scale);
    return [tf.mul(w, tf.reshape(scale, outputs)), beta ? tf.add(beta.read(), shifted) : shifted];
  }) as [Tensor, Tensor];
  return [tf.keep(filter), tf.keep(offset)];
}

/** Depthwise convolution with the weights of now; `last` is the activation after it, or the convolution itself. */
export function frozenDepthwise(
  node: Node,
  { layer, frames, input }: Source,
  options: DepthwiseOptions,
  normalization: Node | null,
): Step {
  const { depthwiseKernel: kernel, bias } = layer as unknown as WeightOf;
  const weights = kernel as Weight;
  const outputs = weights.read().shape.slice(2);
  const constants = folded(weights, options.useBias ? (bias as Weight) : null, normalization, outputs);
  const { activation } = options;
  const run = (image: Tensor): Tensor => {
    assertCompatible(layer, image);
    const fused = activation === 'own' ? LINEAR : activation;
    return chain(
      image,
      (x) => depthwiseWithBias(x, ...constants, options, fused),
      activation === 'own' ? follow(layer, activation) : identity,
    );
  };
  return { ...unary(node, onFrames(frames, run), { input }), constants };
}

/** Convolution with the weights of now, the batch normalization after it folded in. */
export function frozenConvolution(
  node: Node,
  { layer, frames, input }: Source,
  options: Convolution,
  normalization: Node | null,
  precision: Precision,
): Step {
  const { kernel, bias } = layer as unknown as WeightOf;
  const weights = kernel as Weight;
  const outputs = weights.read().shape.slice(-1);
  const constants = folded(weights, options.useBias ? (bias as Weight) : null, normalization, outputs);
  const run = (image: Tensor): Tensor => {
    assertCompatible(layer, image);
    return chain(
      image,
      (x) => conv2dWithBias(x, ...constants, windowOf(options), precision),
      follow(layer, options.activation),
    );
  };
  return { ...unary(node, onFrames(frames, run), { input }), constants };
}

/** Maximum pooling, and after it the activation that stood before it. */
export const maxPooling = (
  node: Node,
  frames: boolean,
  options: { size: readonly [number, number]; strides: readonly [number, number] },
  activation: Activation | undefined,
): Step =>
  unary(
    node,
    onFrames(frames, (image) =>
      chain(image, (x) => maxPool(x, options), activation ? (x) => activate(x, activation) : identity),
    ),
    { keepsType: true },
  );

type Normalization = { readonly epsilon: number; readonly momentum: number };

/** Runs batch normalization with a layer's weights and moves its running statistics. */
export function normalize(
  layer: Layer,
  { epsilon, momentum }: Normalization,
  x: Tensor,
  training: boolean,
  run: (inputs: BatchNormInputs, attributes: BatchNormAttributes) => BatchNormResult,
): Tensor {
  const weights = layer as unknown as WeightOf;
  const [mean, variance] = [weights['movingMean'], weights['movingVariance']] as [Weight, Weight];
  const channels = x.shape.at(-1) as number;
  // Without scale or center these are constants.
  const gamma = weights['gamma']?.read() ?? tf.ones([channels]);
  const beta = weights['beta']?.read() ?? tf.zeros([channels]);
  const attributes = { epsilon, momentum, training, mean: mean.read(), variance: variance.read() };
  const result = run({ x, gamma, beta }, attributes);
  if (result.mean && result.variance) {
    mean.write(result.mean);
    variance.write(result.variance);
    tf.dispose([result.mean, result.variance]);
  }
  if (!weights['gamma']) gamma.dispose();
  if (!weights['beta']) beta.dispose();
  return result.y;
}

/** Any number of axes as `[rows, 1, 1, C]`, which batch normalization does not tell apart. */
const asRows = (x: Tensor): Tensor => reshapeKernel(x, [-1, 1, 1, x.shape.at(-1) as number]);

/** An activation, and the node that computes it. */
export interface Activating {
  readonly node: Node;
  readonly activation: Activation;
}

/** Batch normalization over the last axis, of any number of axes, with the activation after it. */
export function batchNormalization(node: Node, options: Normalization, next?: Activating): Step {
  const run = (value: Tensor, training: boolean): Tensor =>
    normalize(node.outboundLayer, options, value, training, (inputs, attributes) =>
      batchNorm(inputs, attributes, next?.activation),
    );
  return unary(
    node,
    (x, training) =>
      x.rank === 4
        ? run(x, training)
        : chain(
            x,
            asRows,
            (value) => run(value, training),
            (value) => reshapeKernel(value, x.shape),
          ),
    { last: next?.node ?? node },
  );
}

/** The same with the sum and the activation after it; `last` is the node that it computes. The residual is a value of the same shape. */
export function batchNormalizationAdd(
  node: Node,
  options: Normalization,
  { residual, last, activation }: { residual: number; last: Node; activation: Activation },
): Step {
  const alone = batchNormalization(node, options);
  return {
    inputs: [(node.inputTensors[0] as Node['inputTensors'][number]).id, residual],
    outputs: ids(last.outputTensors),
    foreign: false,
    run: ([x, other], training) => {
      const [value, summand] = [x as Tensor, other as Tensor];
      const same = value.shape.join() === summand.shape.join();
      if (same && value.dtype === 'float32' && summand.dtype === 'float32') {
        assertCompatible(node.outboundLayer, value);
        const fused = (rows: Tensor, summands: Tensor): Tensor =>
          normalize(node.outboundLayer, options, rows, training, (inputs, attributes) =>
            batchNormAdd(inputs, summands, attributes, activation),
          );
        if (value.rank === 4) return [fused(value, summand)];
        const summands = asRows(summand);
        const y = chain(
          value,
          asRows,
          (rows) => fused(rows, summands),
          (rows) => reshapeKernel(rows, value.shape),
        );
        summands.dispose();
        return [y];
      }
      const [normalized] = alone.run([value], training) as [Tensor];
      const y = activatedSum(normalized, summand, activation);
      normalized.dispose();
      return [y];
    },
  };
}

/** The same with ReLU, zeros around the image and maximum pooling after it; `last` is the pooling. */
export function batchNormalizationReluMaxPooling(
  node: Node,
  options: Normalization,
  window: PaddedWindow,
  last: Node,
): Step {
  const run = (inputs: BatchNormInputs, attributes: BatchNormAttributes) =>
    batchNormReluMaxPool(inputs, attributes, window);
  return unary(node, (x, training) => normalize(node.outboundLayer, options, x, training, run), { last });
}

/** Layer normalization over the last axis. */
export function layerNormalization(node: Node, { epsilon }: { epsilon: number }): Step {
  const { gamma, beta } = node.outboundLayer as unknown as WeightOf;
  return unary(node, (x) => layerNorm(x, (gamma as Weight).read(), (beta as Weight).read(), epsilon));
}

/** Dropout whose value only a sum uses. */
export interface Dropped {
  readonly input: number;
  readonly rate: number;
  /** Its name. */
  readonly layer: string;
}

/** Of a sum that only a layer normalization uses; `input` is not yet dropped. */
export interface Summands {
  readonly input: number;
  readonly residual: number;
  readonly dropped: Dropped | undefined;
}

/** Whether sums and their layer normalization are computed at once here. */
export const fusesLayerNorm = (): boolean => canFuseLayerNorm({ size: 1 });

/** Layer normalization of a sum, of which one summand may be dropped. */
export function addLayerNormalization(
  node: Node,
  { epsilon }: { epsilon: number },
  { input, residual, dropped }: Summands,
): Step {
  const { gamma, beta } = node.outboundLayer as unknown as WeightOf;
  const alone = layerNormalization(node, { epsilon });
  return {
    inputs: [input, residual],
    outputs: ids(node.outputTensors),
    foreign: false,
    run: (values, training) => {
      const [x, other] = values as [Tensor, Tensor];
      const rate = training ? (dropped?.rate ?? 0) : 0;
      const drawn = rate > 0 ? nextDropout((dropped as Dropped).layer) : undefined;
      const { seed = rate > 0 ? anySeed() : 0, index: part = 0 } = drawn ?? {};
      const same = x.shape.join() === other.shape.join() && canFuseLayerNorm(x);
      if (same && x.dtype === 'float32' && other.dtype === 'float32') {
        assertCompatible(node.outboundLayer, x);
        const weights = { gamma: (gamma as Weight).read(), beta: (beta as Weight).read() };
        return [fusedLayerNorm({ x, residual: other, ...weights }, { epsilon, rate, seed, part })];
      }
      // TensorFlow.js's sum, whose gradient may be one tensor for both.
      const guards = values.map(boundary) as [Tensor, Tensor];
      const drop = (value: Tensor): Tensor => (rate > 0 ? dropoutKernel(value, { rate, seed, part }) : value);
      const sum = chain(guards[0], drop, (value) => tf.add(value, guards[1]));
      const [y] = alone.run([sum], training);
      tf.dispose([sum, ...guards]);
      return [y as Tensor];
    },
  };
}

/** A matrix product over the last axis. */
export function linear(
  node: Node,
  { useBias, activation: own }: { useBias: boolean; activation: Following },
  precision: Precision,
  next?: Activating,
): Step {
  const activation = next?.activation ?? own;
  const { kernel, bias } = node.outboundLayer as unknown as WeightOf;
  const run = (x: Tensor): Tensor => {
    const matrix = (kernel as Weight).read();
    const [width, units] = matrix.shape.slice(-2) as [number, number];
    const rows = (value: Tensor): Tensor =>
      x.rank === 2 ? value : reshapeKernel(value, [x.size / width, width]);
    const inAxes = (value: Tensor): Tensor =>
      x.rank === 2 ? value : reshapeKernel(value, [...x.shape.slice(0, -1), units]);
    const offset = useBias ? (bias as Weight).read() : undefined;
    const fused = offset !== undefined && activation !== 'own';
    const following = fused ? activation : LINEAR;
    const product = (value: Tensor): Tensor => {
      if (matrix.rank === 2) return linearKernel(value, matrix, offset, following, precision);
      // Conv1D's kernel has a window of one in front.
      const flat = reshapeKernel(matrix, [width, units]);
      const y = linearKernel(value, flat, offset, following, precision);
      flat.dispose();
      return y;
    };
    // Before the axes come back: an activation of the layer's own may go along one.
    return chain(
      x,
      rows,
      product,
      fused ? identity : follow(node.outboundLayer, activation === 'own' ? LINEAR : activation),
      inAxes,
      activation === 'own' ? follow(node.outboundLayer, activation) : identity,
    );
  };
  return unary(node, run, { last: next?.node ?? node });
}

/** The activation of a + b; the sum by TensorFlow.js where the shapes or types differ. */
function activatedSum(x: Tensor, y: Tensor, activation: Activation): Tensor {
  const same = x.shape.join() === y.shape.join() && x.dtype === 'float32' && y.dtype === 'float32';
  if (same) return addActivated(x, y, activation);
  const sum = tf.add(x, y);
  return isLinear(activation)
    ? sum
    : chain(sum, (value) => withFloats(value, (floats) => activate(floats, activation), true));
}

/** The activation of the sum of two layers' values; a sum of other shapes may be TensorFlow.js's. */
export function sum(node: Node, { node: last, activation }: Activating): Step {
  return {
    inputs: ids(node.inputTensors),
    outputs: ids(last.outputTensors),
    foreign: true,
    run: ([a, b]) => [activatedSum(a as Tensor, b as Tensor, activation)],
  };
}

/** The activation of a node's value. */
export const activation = (node: Node, next: Activating): Step =>
  unary(node, (x) => activate(x, next.activation), { last: next.node, keepsType: true });

export const globalAverage = (node: Node): Step => unary(node, globalAverageKernel);

/** The same values under another shape, of any type. */
const reshaped = (x: Tensor, shape: number[]): Tensor =>
  x.dtype === 'float32' ? reshapeKernel(x, shape) : tf.reshape(x, shape);

/** The same values under the shape that the layer gives them. */
export const reshape = (node: Node): Step => ({
  ...unary(node, identity),
  run: ([x]) => [
    reshaped(x as Tensor, node.outboundLayer.computeOutputShape((x as Tensor).shape) as number[]),
  ],
});

/** The value itself under another id. */
export const alias = (node: Node): Step => ({
  ...unary(node, identity),
  run: ([x]) => [reshaped(x as Tensor, (x as Tensor).shape)],
});
