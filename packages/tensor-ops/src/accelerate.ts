import * as tf from '@tensorflow/tfjs-core';
import type { layers, LayersModel, SymbolicTensor, Tensor } from './layers-types.js';
import { batchNorm } from './kernels/batch-norm.js';
import { conv2d } from './kernels/conv2d.js';
import { registerTrainingKernels } from './kernels/register.js';
import { relu } from './kernels/relu.js';
import { TENSORFLOW } from './kernels/tensorflow.js';

type Layer = layers.Layer;
type Node = Layer['inboundNodes'][number];

/** One operation of the compiled model: values in by id, one value out. */
interface Step {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  run(values: Tensor[], training: boolean): Tensor[];
}

const symmetric = ([before, after]: readonly [number, number]): boolean => before === after;

/** Padding of a ZeroPadding2D layer if it is the same on opposite sides, as the fast convolution needs. */
function symmetricPadding(layer: Layer): [number, number] | null {
  if (layer.getClassName() !== 'ZeroPadding2D') return null;
  const { padding, dataFormat } = layer.getConfig() as unknown as {
    padding: [[number, number], [number, number]];
    dataFormat: string;
  };
  return dataFormat === 'channelsLast' && symmetric(padding[0]) && symmetric(padding[1])
    ? [padding[0][0], padding[1][0]]
    : null;
}

interface ConvConfig {
  readonly kernelSize: [number, number];
  readonly strides: [number, number];
  readonly padding: 'valid' | 'same';
  readonly dataFormat: string | null;
  readonly dilationRate: number | [number, number];
  readonly activation: string | null;
  readonly useBias: boolean;
}

/** Strides and padding of a Conv2D layer that the fast kernel computes, `null` for any other. */
function fastConvolution(layer: Layer): { strides: [number, number]; padding: [number, number] } | null {
  if (layer.getClassName() !== 'Conv2D') return null;
  const config = layer.getConfig() as unknown as ConvConfig;
  const { kernelSize, strides, padding } = config;
  const plain =
    !config.useBias &&
    (config.activation === null || config.activation === 'linear') &&
    config.dataFormat !== 'channelsFirst' &&
    [config.dilationRate].flat().every((rate) => rate === 1);
  if (!plain) return null;
  if (padding === 'valid') return { strides, padding: [0, 0] };
  // `same` pads symmetrically only without stride and with an odd window.
  const odd = kernelSize.every((size) => size % 2 === 1) && strides.every((stride) => stride === 1);
  return padding === 'same' && odd
    ? { strides, padding: [(kernelSize[0] - 1) / 2, (kernelSize[1] - 1) / 2] }
    : null;
}

/** Epsilon and momentum of a BatchNormalization layer over the channels of `[B, H, W, C]`, `null` for any other. */
function fastBatchNorm(node: Node): { epsilon: number; momentum: number } | null {
  const layer = node.outboundLayer;
  if (layer.getClassName() !== 'BatchNormalization' || node.inputTensors[0]?.shape.length !== 4) return null;
  const config = layer.getConfig() as {
    axis: number;
    scale: boolean;
    center: boolean;
    epsilon: number;
    momentum: number;
  };
  const channels = config.axis === -1 || config.axis === 3;
  return channels && config.scale && config.center
    ? { epsilon: config.epsilon, momentum: 1 - config.momentum }
    : null;
}

const isRelu = (layer: Layer): boolean => {
  const config = layer.getConfig() as Record<string, unknown>;
  return (
    (layer.getClassName() === 'Activation' && config['activation'] === 'relu') ||
    (layer.getClassName() === 'ReLU' && (config['maxValue'] === null || config['maxValue'] === undefined))
  );
};

/** Nodes of the graph that lead to the outputs, each after those it needs. */
function nodesInOrder(model: LayersModel): Node[] {
  const done = new Set(model.inputs.map((tensor) => tensor.id));
  const order: Node[] = [];
  const visit = (tensor: SymbolicTensor): void => {
    if (done.has(tensor.id)) return;
    const node = tensor.sourceLayer.inboundNodes[tensor.nodeIndex] as Node;
    node.inputTensors.forEach(visit);
    node.outputTensors.forEach((output) => done.add(output.id));
    if (!order.includes(node)) order.push(node);
  };
  model.outputs.forEach(visit);
  return order;
}

function compile(model: LayersModel): Step[] {
  const nodes = nodesInOrder(model);
  const consumers = new Map<number, Node[]>();
  for (const node of nodes) {
    for (const { id } of node.inputTensors) consumers.set(id, [...(consumers.get(id) ?? []), node]);
  }
  const isOutput = new Set(model.outputs.map(({ id }) => id));
  /** The only consumer of a node's value, if nothing else sees the value. */
  const onlyConsumer = (node: Node): Node | null => {
    const id = node.outputTensors[0]?.id as number;
    const users = consumers.get(id) ?? [];
    return users.length === 1 && !isOutput.has(id) ? (users[0] as Node) : null;
  };

  const padding = new Map<number, { input: number; padding: [number, number] }>(); // by the padded value's id
  return nodes.flatMap((node): Step[] => {
    const layer = node.outboundLayer;
    const inputs = node.inputTensors.map(({ id }) => id);
    const outputs = node.outputTensors.map(({ id }) => id);
    const [input] = inputs as [number];

    const pad = symmetricPadding(layer);
    const next = pad && onlyConsumer(node);
    if (pad && next && fastConvolution(next.outboundLayer)?.padding.join() === '0,0') {
      padding.set(outputs[0] as number, { input, padding: pad });
      return [];
    }
    const convolution = fastConvolution(layer);
    if (convolution) {
      const padded = padding.get(input);
      const attributes = padded ? { ...convolution, padding: padded.padding } : convolution;
      const kernel = layer.weights[0];
      return [
        {
          inputs: [padded?.input ?? input],
          outputs,
          run: ([x]) => [conv2d(x as Tensor, kernel?.read() as Tensor, attributes)],
        },
      ];
    }
    const normalization = fastBatchNorm(node);
    if (normalization) {
      const [gamma, beta, mean, variance] = layer.weights as unknown as [Weight, Weight, Weight, Weight];
      return [
        {
          inputs,
          outputs,
          run: ([x], training) => {
            const result = batchNorm(
              {
                x: x as Tensor,
                gamma: gamma.read(),
                beta: beta.read(),
                mean: mean.read(),
                variance: variance.read(),
              },
              { ...normalization, training },
            );
            if (training) {
              mean.write(result.mean);
              variance.write(result.variance);
            }
            tf.dispose([result.mean, result.variance]);
            return [result.y];
          },
        },
      ];
    }
    if (isRelu(layer)) return [{ inputs, outputs, run: ([x]) => [relu(x as Tensor)] }];
    return [
      {
        inputs,
        outputs,
        run: (values, training) => {
          const result = layer.apply(values.length === 1 ? (values[0] as Tensor) : values, { training });
          return (Array.isArray(result) ? result : [result]) as Tensor[];
        },
      },
    ];
  });
}

interface Weight {
  read(): Tensor;
  write(value: Tensor): void;
}

/**
 * Runs an ordinary `LayersModel` on fast training kernels. The model stays what it is: same class, topology, names
 * and weights; saved, it loads in plain TensorFlow.js.
 *
 * On the `tensorflow` backend convolution (without bias; with PyTorch's symmetric padding where a ZeroPadding2D
 * precedes it), batch normalization and ReLU become single operations with single-operation gradients, and running
 * variances move as PyTorch's do (unbiased). Every other layer, option and backend runs the layer itself.
 * On `wasm` the missing convolution gradients are registered.
 *
 * `model.apply(x, { training })` is fast; `fit`, `predict` and `evaluate` use an executor of their own and stay
 * correct at plain speed.
 *
 * @param model Changed in place: its `call` is replaced.
 * @returns The same model.
 * @example
 * const model = accelerate(await tf.loadLayersModel('file://encoder/model.json'));
 */
export function accelerate(model: LayersModel): LayersModel {
  const plain = model.call.bind(model);
  let program: Step[] | undefined;
  model.call = (inputs, kwargs) => {
    registerTrainingKernels();
    const given = Array.isArray(inputs) ? inputs : [inputs];
    // The fused operations take float32 only.
    const fast = tf.getBackend() === TENSORFLOW && given.every(({ dtype }) => dtype === 'float32');
    if (!fast) return plain(inputs, kwargs);
    const steps = (program ??= compile(model));
    return tf.tidy(() => run(model, steps, given, kwargs?.['training'] === true));
  };
  return model;
}

function run(
  model: LayersModel,
  steps: readonly Step[],
  given: readonly Tensor[],
  training: boolean,
): Tensor[] {
  const values = new Map(model.inputs.map(({ id }, i) => [id, given[i] as Tensor]));
  for (const step of steps) {
    const results = step.run(
      step.inputs.map((id) => values.get(id) as Tensor),
      training,
    );
    step.outputs.forEach((id, i) => values.set(id, results[i] as Tensor));
  }
  return model.outputs.map(({ id }) => values.get(id) as Tensor);
}
