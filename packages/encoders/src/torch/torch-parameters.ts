import * as tf from '@tensorflow/tfjs-core';
import type { layers, LayersModel, LayerVariable } from '@tensorflow/tfjs-layers';
import { OptionError, type NamedArray, ownValue } from '@g2d/core';

/** A variable of a model as PyTorch would name and store it. */
export interface TorchParameter {
  /** For example `layer1.0.conv1.weight`, without a prefix. */
  readonly name: string;
  /** Part of the classifier on top of an encoder. */
  readonly isHead: boolean;
  readonly variable: LayerVariable;
  /** PyTorch's shape. */
  readonly shape: readonly number[];
  /** Whether it is the kernel of a convolution over all input channels, the second axis. */
  readonly isKernel: boolean;
  /** A copy of the values in PyTorch's order of axes. */
  read(): NamedArray;
  /** Sets the variable from values in PyTorch's order of axes. */
  write(values: Float32Array): void;
}

/** How PyTorch calls a variable, and its order of our axes: axis i of PyTorch's tensor is our axis `axes[i]`. */
interface Rule {
  readonly role: string;
  readonly axes?: readonly number[];
}

const AFFINE: Readonly<Record<string, Rule>> = { gamma: { role: 'weight' }, beta: { role: 'bias' } };
const BIAS: Readonly<Record<string, Rule>> = { bias: { role: 'bias' } };

const RULES: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  Conv1D: { kernel: { role: 'weight', axes: [2, 1, 0] }, ...BIAS },
  Conv2D: { kernel: { role: 'weight', axes: [3, 2, 0, 1] }, ...BIAS },
  // [H, W, in, multiplier] is [in · multiplier, 1, H, W] in PyTorch, a convolution with as many groups as inputs.
  DepthwiseConv2D: { depthwise_kernel: { role: 'weight', axes: [2, 3, 0, 1] }, ...BIAS },
  Dense: { kernel: { role: 'weight', axes: [1, 0] }, ...BIAS },
  BatchNormalization: {
    ...AFFINE,
    moving_mean: { role: 'running_mean' },
    moving_variance: { role: 'running_var' },
  },
  LayerNormalization: AFFINE,
};

/**
 * The variables of a model under PyTorch's names: a layer `<model>/layer1/0/conv1` is the module `layer1.0.conv1`.
 *
 * A `TimeDistributed` layer counts as the one it applies. A dense layer `…/in_proj` is the joint projection of PyTorch's
 * attention, whose parameters are called `in_proj_weight` and `in_proj_bias`. The layer `<model>/classifier` is the head.
 *
 * @throws {OptionError} If a layer has variables of a kind that has no counterpart here, or there are none.
 */
export function torchParameters(model: LayersModel): readonly TorchParameter[] {
  const weighted = [...new Set(leaves(model.layers))].filter(({ weights }) => weights.length > 0);
  const root = commonRoot(
    model.name,
    weighted.map(({ name }) => name),
  );
  const parameters = weighted.flatMap((layer) =>
    layer.weights.map((variable) => torchParameter(layer, variable, layer.name.slice(root.length))),
  );
  if (parameters.length === 0) {
    throw new OptionError(`The model "${model.name}" has no weights.`, {
      option: 'model',
      value: model.name,
      accepted: 'a model with weights',
    });
  }
  const names = parameters.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new OptionError(
      `Two layers of the model "${model.name}" are "${twice}" in PyTorch. Give layers different names.`,
      { option: 'model', value: twice, accepted: 'layers with different names' },
    );
  }
  return parameters;
}

function* leaves(list: readonly layers.Layer[]): Generator<layers.Layer> {
  for (const layer of list) {
    const { layers: nested, layer: wrapped } = layer as { layers?: layers.Layer[]; layer?: layers.Layer };
    if (nested !== undefined) yield* leaves(nested);
    else if (wrapped !== undefined && layer.getClassName() === 'TimeDistributed') yield* leaves([wrapped]);
    else yield layer;
  }
}

/** The model's name, or a part of it up to a slash, that every layer's name starts with: `audio/unimodal` → `audio/`. */
function commonRoot(model: string, names: readonly string[]): string {
  const parts = model.split('/');
  for (let count = parts.length; count > 0; count--) {
    const root = `${parts.slice(0, count).join('/')}/`;
    if (names.every((name) => name.startsWith(root))) return root;
  }
  return '';
}

/** PyTorch flattens an image channel by channel, TensorFlow.js pixel by pixel: the shapes would fit and the numbers would not. */
function assertSameOrder(layer: layers.Layer, variable: LayerVariable): void {
  if (layer.getClassName() !== 'Dense') return;
  for (const { inputTensors } of layer.inboundNodes) {
    const source = inputTensors[0]?.sourceLayer;
    const shape = source?.inboundNodes[0]?.inputTensors[0]?.shape ?? [];
    if (source?.getClassName() !== 'Flatten' || shape.length !== 4 || (shape[1] === 1 && shape[2] === 1))
      continue;
    throw new OptionError(
      `"${variable.originalName}" reads a flattened map of ${shape.slice(1).join(' × ')}: PyTorch flattens in another order, so its weights do not mean the same. Use global pooling, or convert this layer yourself.`,
      { option: 'model', value: layer.name, accepted: 'dense layers that do not follow a Flatten' },
    );
  }
}

function torchParameter(layer: layers.Layer, variable: LayerVariable, path: string): TorchParameter {
  const kind = layer.getClassName();
  // `originalName`: a second model with the same layer names gets variables called `…/kernel_1`.
  const ours = variable.originalName.split('/').at(-1) as string;
  const rule = ownValue(ownValue(RULES, kind), ours);
  if (rule === undefined) {
    throw new OptionError(
      `There is no rule for "${variable.originalName}" of a ${kind} layer in PyTorch; there are rules for ${Object.keys(RULES).join(', ')}.`,
      { option: 'model', value: kind, accepted: Object.keys(RULES).join(', ') },
    );
  }
  assertSameOrder(layer, variable);
  const size = variable.shape as number[];
  const permuted = rule.axes?.map((axis) => size[axis] as number) ?? size;
  const [inputs = 0, multiplier = 0, ...window] = permuted;
  const shape = kind === 'DepthwiseConv2D' && rule.axes ? [inputs * multiplier, 1, ...window] : permuted;
  const separator = path.endsWith('in_proj') ? '_' : '.';
  return {
    name: `${path.replaceAll('/', '.')}${separator}${rule.role}`,
    isHead: path === 'classifier',
    variable,
    shape,
    isKernel: ours === 'kernel' && (kind === 'Conv1D' || kind === 'Conv2D'),
    read() {
      const tensor = variable.read();
      if (!rule.axes) return { shape, values: new Float32Array(tensor.dataSync()) };
      // Not `tidy`, which would look for tensors among all the values of what it returns: seconds for a large kernel.
      const transposed = tf.transpose(tensor, [...rule.axes]);
      const values = new Float32Array(transposed.dataSync());
      transposed.dispose();
      return { shape, values };
    },
    write(values) {
      tf.tidy(() => {
        const tensor = tf.tensor(values, permuted, 'float32');
        const inverse = rule.axes?.map((_, axis) => rule.axes?.indexOf(axis) as number);
        variable.write(inverse ? tf.transpose(tensor, inverse) : tensor);
      });
    },
  };
}
