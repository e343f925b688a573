import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '../layers-types.js';
import { isRelu } from '../kernels/activation.js';
import { wasmAttention } from '../kernels/wasm-attention.js';
import { wasmBatchNorm } from '../kernels/wasm-batch-norm.js';
import { wasmLayerNorm } from '../kernels/wasm-layer-norm.js';
import { matchAttention } from './attention.js';
import type { Graph, Node } from './graph.js';
import * as facts from './layer-facts.js';
import type { Step } from './program.js';
import { assertCompatible, layer, normalize } from './steps.js';

type Image = tf.Tensor4D;
type WeightOf = Readonly<Record<string, { read(): Tensor } | undefined>>;

const between = (first: Node, last: Node) => ({
  inputs: first.inputTensors.map(({ id }) => id),
  outputs: last.outputTensors.map(({ id }) => id),
  foreign: true,
});

/**
 * Steps of the `wasm` backend for a node that our kernels know there, and for the nodes after it that they take over:
 * training's batch normalization with its ReLU, layer normalization, attention, and convolutions that add zeros around an image themselves.
 */
export function wasmSteps(
  node: Node,
  graph: Graph,
  done: Set<Node>,
  attentions: Map<Node, Step>,
): Step[] | undefined {
  const attention = matchAttention(node, graph, wasmAttention);
  if (attention) {
    attention.nodes.forEach((one) => done.add(one));
    attentions.set(attention.last, attention.step);
    return [];
  }

  const next = graph.onlyConsumer(node);
  const padding = facts.symmetricPadding(node.outboundLayer);
  const convolution = next && padding && facts.fastConvolution(next.outboundLayer);
  if (convolution && convolution.padding.every((zeros) => zeros === 0)) {
    done.add(next);
    return [paddedConvolution(node, next, { ...convolution, padding })];
  }
  const layerNorm = facts.fastLayerNorm(node);
  if (layerNorm) return [layerNormalization(node, layerNorm.epsilon)];
  const normalization = facts.fastBatchNorm(node);
  if (!normalization) return undefined;
  const following = next && facts.activation(next.outboundLayer);
  const relu = following && isRelu(following) ? next : null;
  if (relu) done.add(relu);
  return [batchNormalization(node, normalization, relu)];
}

function paddedConvolution(
  pad: Node,
  node: Node,
  {
    strides,
    padding: [vertical, horizontal],
    useBias,
  }: NonNullable<ReturnType<typeof facts.fastConvolution>>,
): Step {
  const { kernel, bias } = node.outboundLayer as unknown as WeightOf;
  const { activation } = node.outboundLayer as unknown as { activation: { apply(x: Tensor): Tensor } };
  return {
    ...between(pad, node),
    run: ([x]) => {
      assertCompatible(pad.outboundLayer, x as Tensor);
      const zeros = [
        [0, 0],
        [vertical, vertical],
        [horizontal, horizontal],
        [0, 0],
      ] as const;
      let y: Tensor = tf.conv2d(x as Image, kernel!.read() as Image, [...strides], zeros as never);
      if (useBias) y = tf.add(y, bias!.read());
      return [activation.apply(y)];
    },
  };
}

function layerNormalization(node: Node, epsilon: number): Step {
  const itself = layer(node);
  const { gamma, beta } = node.outboundLayer as unknown as WeightOf;
  return {
    ...itself,
    run: (values, training) => {
      const [x] = values as [Tensor];
      if (x.dtype !== 'float32' || x.size === 0) return itself.run(values, training);
      assertCompatible(node.outboundLayer, x);
      return [wasmLayerNorm(x, gamma!.read(), beta!.read(), epsilon)];
    },
  };
}

function batchNormalization(
  node: Node,
  options: { readonly epsilon: number; readonly momentum: number },
  relu: Node | null,
): Step {
  const itself = layer(node);
  return {
    ...between(node, relu ?? node),
    run: (values, training) => {
      const [x] = values as [Tensor];
      if (!training || x.dtype !== 'float32' || x.size === 0) {
        const [y] = itself.run(values, training) as [Tensor];
        return [relu ? tf.relu(y) : y];
      }
      assertCompatible(node.outboundLayer, x);
      return [
        normalize(node.outboundLayer, options, x, training, (inputs, attributes) =>
          wasmBatchNorm(inputs, attributes, { relu: relu !== null }),
        ),
      ];
    },
  };
}
