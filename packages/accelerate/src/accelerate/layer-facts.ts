import { LINEAR, RELU, type Activation } from '../kernels/activation.js';
import type { DepthwiseWindow } from '../kernels/depthwise.js';
import type { Layer, Node } from './graph.js';

// What a layer computes, read from its configuration, or `null` where the fast kernels compute something else. Every
// option that could change the result is named here: an unknown one must not slip through.

/** Set on a model by `accelerate`: its replaced `call` computes what the model's graph says. */
export const ACCELERATED = Symbol.for('@g2d/accelerated');

/**
 * The class of a layer of TensorFlow.js as it came; empty for a subclass and for a layer whose `call` was replaced: they
 * have the name of what they were made from, and may compute something else.
 */
export function kind(layer: Layer): string {
  const itself = Object.hasOwn(layer.constructor, 'className');
  const replaced = Object.hasOwn(layer, 'call') && !(ACCELERATED in layer);
  return itself && !replaced ? layer.getClassName() : '';
}

type Pair = readonly [number, number];

const pair = (value: number | readonly number[]): Pair =>
  typeof value === 'number' ? [value, value] : [value[0] as number, value[1] ?? (value[0] as number)];

const isLinear = (activation: unknown): boolean =>
  activation === null || activation === undefined || activation === 'linear';

const isChannelsLast = (dataFormat: unknown): boolean => dataFormat !== 'channelsFirst';

/** The layer that a window slides with: itself, or the one that TimeDistributed applies to every frame. */
export function windowed({ outboundLayer: layer }: Node): { layer: Layer; frames: boolean } {
  const frames = kind(layer) === 'TimeDistributed';
  return { layer: frames ? (layer as unknown as { layer: Layer }).layer : layer, frames };
}

/** Zeros around an image if they are as many on opposite sides. */
export function symmetricPadding(layer: Layer): Pair | null {
  if (kind(layer) !== 'ZeroPadding2D') return null;
  const { padding, dataFormat } = layer.getConfig() as unknown as {
    padding: readonly [Pair, Pair];
    dataFormat: string;
  };
  const symmetric = padding.every(([before, after]) => before === after);
  return isChannelsLast(dataFormat) && symmetric ? [padding[0][0], padding[1][0]] : null;
}

/** What follows a linear operation in its own layer; `'own'`: a function that the loops do not know, which the layer applies. */
export type Following = Activation | 'own';

function following(activation: unknown): Following {
  if (isLinear(activation)) return LINEAR;
  if (activation === 'relu') return RELU;
  return activation === 'relu6' ? { slope: 0, most: 6 } : 'own';
}

/** A convolution without dilation and groups whose padding is symmetric. */
export function fastConvolution(
  layer: Layer,
): { strides: Pair; padding: Pair; useBias: boolean; activation: Following } | null {
  if (kind(layer) !== 'Conv2D') return null;
  const config = layer.getConfig() as unknown as {
    kernelSize: number | number[];
    strides: number | number[];
    padding: string;
    dataFormat: string | null;
    dilationRate: number | number[];
    activation: string | null;
    useBias: boolean;
  };
  const activation = following(config.activation);
  const [kernelSize, strides] = [pair(config.kernelSize), pair(config.strides)];
  if (!isChannelsLast(config.dataFormat)) return null;
  if (pair(config.dilationRate).some((rate) => rate !== 1)) return null;
  const fast = { strides, useBias: config.useBias, activation };
  if (config.padding === 'valid') return { ...fast, padding: [0, 0] };
  // `same` pads symmetrically only without stride and with an odd window.
  const odd = kernelSize.every((size) => size % 2 === 1) && strides.every((stride) => stride === 1);
  return config.padding === 'same' && odd
    ? { ...fast, padding: [(kernelSize[0] - 1) / 2, (kernelSize[1] - 1) / 2] }
    : null;
}

/** A convolution of each channel by itself. TensorFlow.js passes over its dilation. */
export function fastDepthwise(
  layer: Layer,
): (DepthwiseWindow & { readonly useBias: boolean; readonly activation: Following }) | null {
  if (kind(layer) !== 'DepthwiseConv2D') return null;
  const { strides, padding, dataFormat, activation, useBias } = layer.getConfig() as unknown as {
    strides: number | number[];
    padding: string;
    dataFormat: string | null;
    activation: string | null;
    useBias: boolean;
  };
  const [vertical, horizontal] = pair(strides);
  // TensorFlow knows one stride only.
  if (!isChannelsLast(dataFormat) || vertical !== horizontal) return null;
  const fast = { strides: [vertical, horizontal] as const, useBias, activation: following(activation) };
  if (padding === 'valid') return { ...fast, padding: [0, 0, 0, 0] };
  return padding === 'same' ? { ...fast, padding } : null;
}

/** Maximum pooling without padding of its own. */
export function fastMaxPooling(layer: Layer): { size: Pair; strides: Pair } | null {
  if (kind(layer) !== 'MaxPooling2D') return null;
  const { poolSize, strides, padding, dataFormat } = layer.getConfig() as unknown as {
    poolSize: number | number[];
    strides: number | number[] | null;
    padding: string;
    dataFormat: string;
  };
  return padding === 'valid' && isChannelsLast(dataFormat)
    ? { size: pair(poolSize), strides: pair(strides ?? poolSize) }
    : null;
}

/** True for every maximum pooling over windows, also of frames. */
export function isMaxPooling(layer: Layer): boolean {
  const inner = kind(layer) === 'TimeDistributed' ? (layer as unknown as { layer: Layer }).layer : layer;
  return ['MaxPooling1D', 'MaxPooling2D', 'MaxPooling3D'].includes(kind(inner));
}

/** Batch normalization over the last axis. */
export function fastBatchNorm({ outboundLayer: layer, inputTensors }: Node): {
  epsilon: number;
  momentum: number;
} | null {
  const rank = inputTensors[0]?.shape.length ?? 0;
  if (kind(layer) !== 'BatchNormalization' || rank < 2) return null;
  const { axis, epsilon, momentum } = layer.getConfig() as unknown as {
    axis: number;
    epsilon: number;
    momentum: number;
  };
  return axis === -1 || axis === rank - 1 ? { epsilon, momentum: 1 - momentum } : null;
}

/** Layer normalization over the last axis. */
export function fastLayerNorm({ outboundLayer: layer, inputTensors }: Node): { epsilon: number } | null {
  const rank = inputTensors[0]?.shape.length ?? 0;
  if (kind(layer) !== 'LayerNormalization' || rank < 2) return null;
  const config = layer.getConfig() as unknown as {
    axis: number | number[];
    epsilon: number;
    scale: boolean;
    center: boolean;
  };
  const [axis, ...others] = [config.axis].flat();
  const last = (axis === -1 || axis === rank - 1) && others.length === 0;
  return last && config.scale && config.center ? { epsilon: config.epsilon } : null;
}

/** A matrix product over the last axis: Dense, or Conv1D with a window of one. */
export function fastLinear({ outboundLayer: layer, inputTensors }: Node): {
  useBias: boolean;
  activation: Following;
} | null {
  const config = layer.getConfig() as unknown as {
    activation: string | null;
    useBias: boolean;
    kernelSize?: number | number[];
    strides?: number | number[];
    dilationRate?: number | number[];
    dataFormat?: string | null;
  };
  const activation = following(config.activation);
  const rank = inputTensors[0]?.shape.length ?? 0;
  if (rank < 2) return null;
  if (kind(layer) === 'Conv1D') {
    const ones = [config.kernelSize, config.strides, config.dilationRate].flat().every((n) => n === 1);
    if (!ones || !isChannelsLast(config.dataFormat)) return null;
  } else if (kind(layer) !== 'Dense') {
    return null;
  }
  return { useBias: config.useBias, activation };
}

/** The rate of a dropout that draws each value by itself, with a mask that the layer does not settle. */
export function dropoutRate(layer: Layer): number | null {
  if (kind(layer) !== 'Dropout') return null;
  const { rate, noiseShape, seed } = layer.getConfig() as {
    rate: number;
    noiseShape: unknown;
    seed: unknown;
  };
  const free = (noiseShape ?? null) === null && (seed ?? null) === null;
  return free && rate > 0 && rate < 1 ? rate : null;
}

/** What a layer that is an activation computes, however it is written, if the loops know it. */
export function activation(layer: Layer): Activation | null {
  const config = layer.getConfig() as Record<string, unknown>;
  if (kind(layer) === 'Activation') {
    const known = following(config['activation']);
    return known === 'own' || known === LINEAR ? null : known;
  }
  if (kind(layer) === 'ReLU') {
    const most = (config['maxValue'] ?? Infinity) as number;
    return most > 0 ? { slope: 0, most } : null;
  }
  const alpha = config['alpha'] as number;
  return kind(layer) === 'LeakyReLU' && alpha >= 0 && alpha < Infinity
    ? { slope: alpha, most: Infinity }
    : null;
}

/** True for the mean over height and width. */
export const isGlobalAverage = (layer: Layer): boolean =>
  kind(layer) === 'GlobalAveragePooling2D' && isChannelsLast(layer.getConfig()['dataFormat']);

/** True for the maximum over time, or over height and width. */
export const isGlobalMaximum = (layer: Layer): boolean =>
  kind(layer) === 'GlobalMaxPooling1D' ||
  (kind(layer) === 'GlobalMaxPooling2D' && isChannelsLast(layer.getConfig()['dataFormat']));

/** True for layers that give the same values another shape. */
export const isReshape = (layer: Layer): boolean => {
  if (kind(layer) === 'Reshape') return true;
  return kind(layer) === 'Flatten' && isChannelsLast(layer.getConfig()['dataFormat']);
};

/** A model used as a layer. */
export const isModel = (layer: Layer): boolean => ['Model', 'Functional', 'Sequential'].includes(kind(layer));

// Layers of TensorFlow.js that hand a mask on or drop it, but do not make one.
const PASS_MASKS_ON =
  'Add Average Concatenate Dot Maximum Minimum Multiply ' +
  'Bidirectional ConvLSTM2D GRU LSTM RNN SimpleRNN TimeDistributed ' +
  'Flatten Reshape Permute RepeatVector Model Functional Sequential';

/** True for layers that mark steps as padding for those after them: the fast program carries no masks. */
export function makesMask(layer: Layer): boolean {
  const name = layer.getClassName();
  if (name === 'Masking') return true;
  if (name === 'Embedding') return layer.getConfig()['maskZero'] === true;
  if (PASS_MASKS_ON.split(' ').includes(name)) return false;
  // A class of the user's own: the base class has the first `computeMask`, any other is an override.
  return prototypes(layer).filter((prototype) => Object.hasOwn(prototype, 'computeMask')).length > 1;
}

function prototypes(layer: object): object[] {
  const prototype = Object.getPrototypeOf(layer) as object | null;
  return prototype && prototype !== Object.prototype ? [prototype, ...prototypes(prototype)] : [];
}
