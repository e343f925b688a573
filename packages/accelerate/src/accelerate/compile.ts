import type { LayersModel } from '../layers-types.js';
import { graphOf, type Graph, type Node } from './graph.js';
import * as facts from './layer-facts.js';
import { isRelu, LINEAR, type Activation } from '../kernels/activation.js';
import type { Precision } from '../kernels/bfloat16.js';
import type { PaddedWindow } from '../kernels/max-pool.js';
import { matchAttention } from './attention.js';
import { program, type Program, type Step } from './program.js';
import * as steps from './steps.js';
import { wasmSteps } from './wasm-steps.js';

/** What a model is compiled to. */
export interface Target {
  /**
   * `'kernels'`: the fast kernels of the `tensorflow` backend, the layer itself for all else. `'layers'`: layers only,
   * for other backends. `'wasm'`: layers but for what our kernels in WebAssembly know. `'frozen'`: kernels for inference, batch normalization folded into the convolution before it.
   */
  readonly steps: 'kernels' | 'wasm' | 'layers' | 'frozen';
  readonly precision: Precision;
}

/**
 * Compiles a model's graph once.
 *
 * @returns `null` for a model with masks, which the program does not carry.
 */
export function compile(model: LayersModel, target: Target): Program | null {
  const graph = graphOf(model);
  if (graph.nodes.some(({ outboundLayer }) => facts.makesMask(outboundLayer))) return null;
  const compiled: Step[] = [];
  const done = new Set<Node>();
  const deferred: Deferred = {
    padding: new Map(),
    activation: new Map(),
    attention: new Map(),
    normalization: new Set(),
    sum: new Map(),
    dropped: new Map(),
    normalized: new Map(),
  };
  for (const node of graph.nodes) {
    const attention = deferred.attention.get(node);
    if (attention) compiled.push(attention);
    if (done.has(node)) continue;
    const nested = nestedModel(node, target);
    if (nested === null) return null;
    const fast = isFast(target);
    const known = fast
      ? fastSteps(node, graph, done, deferred, target)
      : target.steps === 'wasm' && wasmSteps(node, graph, done, deferred.attention);
    const step = nested ?? (known || [layerStep(node, fast)]);
    compiled.push(...step);
  }
  return program(model, compiled);
}

/** On kernels of the `tensorflow` backend, whose gradients free what they have used. */
const isFast = ({ steps }: Target): boolean => steps === 'kernels' || steps === 'frozen';

/** The layer itself; dropout can have a mask from elsewhere, and a global maximum has another gradient. */
function layerStep(node: Node, fast: boolean): Step {
  if (facts.isGlobalMaximum(node.outboundLayer)) return steps.globalMaximum(node);
  const rate = facts.dropoutRate(node.outboundLayer);
  return rate === null ? steps.layer(node) : steps.dropout(node, rate, fast);
}

/** What a later step does instead of the node that was written. */
interface Deferred {
  /** Zeros around an image, by the id of the padded value: the convolution adds them itself. */
  readonly padding: Map<number, { readonly input: number; readonly padding: readonly [number, number] }>;
  /** Activations that are yet to be applied, by the value that maximum pooling reads: the two commute, and after it fewer values are left. */
  readonly activation: Map<number, Activation>;
  /** All of attention is computed where its last node stands: its mask may be computed after its first. */
  readonly attention: Map<Node, Step>;
  /** Batch normalization that a frozen convolution does. */
  readonly normalization: Set<Node>;
  /** Batch normalization that is computed together with a sum and its activation, where the sum stands, by its value's id. */
  readonly sum: Map<number, Node>;
  /** Dropout that is computed together with a sum and its layer normalization, by its value's id. */
  readonly dropped: Map<number, steps.Dropped>;
  /** Sums that are computed where their layer normalization stands, by their value's id. */
  readonly normalized: Map<number, steps.Summands>;
}

/** A model used as a layer becomes a program in the program; `null` if it cannot be compiled. */
function nestedModel(node: Node, target: Target): Step[] | null | undefined {
  const { outboundLayer: layer } = node;
  if (!facts.isModel(layer)) return undefined;
  const inner = compile(layer as unknown as LayersModel, target);
  return inner && [steps.nested(node, inner, isFast(target))];
}

/** Steps for a node that the fast kernels know, and for the nodes after it that they take over. */
function fastSteps(
  node: Node,
  graph: Graph,
  done: Set<Node>,
  deferred: Deferred,
  { steps: kind, precision }: Target,
): Step[] | undefined {
  const { layer, frames } = facts.windowed(node);
  const [input] = node.inputTensors as [Node['inputTensors'][number]];
  const take = (next: Node): Node => {
    done.add(next);
    return next;
  };
  /** The activation after a node, if nothing else sees the value between and no pooling follows that would rather have it. */
  const takeActivation = (from: Node): steps.Activating | undefined => {
    const next = activationAfter(from, graph);
    if (next) take(next.node);
    return next;
  };

  const attention = matchAttention(node, graph);
  if (attention) {
    attention.nodes.forEach(take);
    deferred.attention.set(attention.last, attention.step);
    return [];
  }

  const padding = facts.symmetricPadding(layer);
  if (padding) {
    const next = graph.onlyConsumer(node);
    const window = next && facts.windowed(next);
    const sameFrames = window && window.frames === frames;
    const convolution = sameFrames && facts.fastConvolution(window.layer);
    const depthwise = sameFrames && facts.fastDepthwise(window.layer);
    if (
      (convolution && convolution.padding.every((zeros) => zeros === 0)) ||
      (depthwise && depthwise.padding !== 'same')
    ) {
      deferred.padding.set(node.outputTensors[0]!.id, { input: input.id, padding });
      return [];
    }
    return padding.some((zeros) => zeros > 0) ? [steps.pad(node, frames, padding)] : undefined;
  }

  const convolution = facts.fastConvolution(layer);
  if (convolution) {
    const padded = deferred.padding.get(input.id);
    const window = padded ? { ...convolution, padding: padded.padding } : convolution;
    const source = { layer, frames, input: padded?.input ?? input.id };
    if (kind !== 'frozen') return [steps.convolution(node, source, window, precision)];
    const normalization = window.activation === LINEAR ? normalizationAfter(node, graph) : null;
    if (normalization) deferred.normalization.add(normalization);
    return [steps.frozenConvolution(node, source, window, normalization, precision)];
  }

  const depthwise = facts.fastDepthwise(layer);
  if (depthwise) {
    const padded = deferred.padding.get(input.id);
    const [vertical, horizontal] = padded?.padding ?? [0, 0];
    const window = padded
      ? { ...depthwise, padding: [vertical, vertical, horizontal, horizontal] as const }
      : depthwise;
    const source = { layer, frames, input: padded?.input ?? input.id };
    if (kind !== 'frozen') return [steps.depthwise(node, source, window)];
    const normalization = window.activation === LINEAR ? normalizationAfter(node, graph) : null;
    if (normalization) deferred.normalization.add(normalization);
    return [steps.frozenDepthwise(node, source, window, normalization)];
  }

  const pooling = facts.fastMaxPooling(layer);
  if (pooling) return [steps.maxPooling(node, frames, pooling, deferred.activation.get(input.id))];
  if (frames) return undefined;

  const normalization = facts.fastBatchNorm(node);
  if (normalization && deferred.normalization.has(node)) {
    const next = takeActivation(node);
    return [next ? steps.activation(node, next) : steps.alias(node)];
  }
  if (normalization) {
    const sum = sumAfter(node, graph);
    // Of two summands that are both normalized, the last is computed with the sum; a layer normalization does its sum itself.
    if (sum && !normalizedSum(sum, graph) && !sum.inputTensors.some(({ id }) => deferred.sum.has(id))) {
      deferred.sum.set(node.outputTensors[0]!.id, node);
      return [];
    }
    const pool = reluAndPoolingAfter(node, graph);
    if (pool) {
      pool.nodes.forEach(take);
      return [steps.batchNormalizationReluMaxPooling(node, normalization, pool.window, pool.last)];
    }
    return [steps.batchNormalization(node, normalization, takeActivation(node))];
  }
  const layerNorm = facts.fastLayerNorm(node);
  const summands = deferred.normalized.get(input.id);
  if (layerNorm && summands) return [steps.addLayerNormalization(node, layerNorm, summands)];
  if (layerNorm) return [steps.layerNormalization(node, layerNorm)];
  const rate = facts.dropoutRate(layer);
  const summed = rate === null ? null : graph.onlyConsumer(node);
  if (rate !== null && summed && normalizedSum(summed, graph)) {
    const isAlone = !summed.inputTensors.some(({ id }) => deferred.dropped.has(id));
    // Of a layer that runs several times each pass has its own mask, in their order.
    if (isAlone && layer.inboundNodes.length === 1) {
      deferred.dropped.set(node.outputTensors[0]!.id, { input: input.id, rate, layer: layer.name });
      return [];
    }
  }
  const linear = facts.fastLinear(node);
  if (linear)
    return [
      steps.linear(node, linear, precision, linear.activation === LINEAR ? takeActivation(node) : undefined),
    ];

  if (normalizedSum(node, graph)) {
    const place = Math.max(
      0,
      node.inputTensors.findIndex(({ id }) => deferred.dropped.has(id)),
    );
    const dropped = deferred.dropped.get(node.inputTensors[place]!.id);
    const residual = node.inputTensors[1 - place]!.id;
    deferred.normalized.set(node.outputTensors[0]!.id, {
      input: dropped?.input ?? node.inputTensors[place]!.id,
      residual,
      dropped,
    });
    return [];
  }
  if (facts.kind(layer) === 'Add') {
    if (node.inputTensors.length !== 2) return undefined;
    const next = takeActivation(node) ?? { node, activation: LINEAR };
    const place = node.inputTensors.findIndex(({ id }) => deferred.sum.has(id));
    const summand = deferred.sum.get(node.inputTensors[place]?.id as number);
    if (summand) {
      const options = facts.fastBatchNorm(summand) as NonNullable<ReturnType<typeof facts.fastBatchNorm>>;
      const residual = node.inputTensors[1 - place]!.id;
      const { node: last, activation } = next;
      return [steps.batchNormalizationAdd(summand, options, { residual, last, activation })];
    }
    return [steps.sum(node, next)];
  }
  const activation = facts.activation(layer);
  if (activation) {
    const pool = poolingAfter(node, graph);
    if (!pool) return [steps.activation(node, { node, activation })];
    // The value that pooling reads must be known as one without its activation yet.
    deferred.activation.set(pool.inputTensors[0]!.id, activation);
    return [steps.alias(node)];
  }
  if (facts.isGlobalAverage(layer)) return [steps.globalAverage(node)];
  if (facts.isReshape(layer)) return [steps.reshape(node)];
  return undefined;
}

/** The maximum pooling that alone uses a node's value, directly or through zero padding. */
function poolingAfter(node: Node, graph: Graph): Node | null {
  const next = graph.onlyConsumer(node);
  if (!next) return null;
  if (facts.fastMaxPooling(next.outboundLayer)) return next;
  const padding = facts.symmetricPadding(next.outboundLayer);
  const last = padding && graph.onlyConsumer(next);
  return last && facts.fastMaxPooling(last.outboundLayer) ? last : null;
}

/** The activation that alone uses a node's value, without a pooling after it. */
function activationAfter(node: Node, graph: Graph): steps.Activating | undefined {
  const next = graph.onlyConsumer(node);
  const activation = next && facts.activation(next.outboundLayer);
  return next && activation && !poolingAfter(next, graph) ? { node: next, activation } : undefined;
}

/** The sum of two that alone uses a node's value. */
function sumAfter(node: Node, graph: Graph): Node | null {
  const sum = graph.onlyConsumer(node);
  return sum && facts.kind(sum.outboundLayer) === 'Add' && sum.inputTensors.length === 2 ? sum : null;
}

/** True for the sum of two values of one shape that only a layer normalization uses, where the kernel for both is there. */
function normalizedSum(node: Node, graph: Graph): boolean {
  const [a, b, ...others] = node.inputTensors;
  if (facts.kind(node.outboundLayer) !== 'Add' || !a || !b || others.length > 0) return false;
  const next = graph.onlyConsumer(node);
  return a.shape.join() === b.shape.join() && !!next && !!facts.fastLayerNorm(next) && steps.fusesLayerNorm();
}

/** ReLU and maximum pooling after a node, with zeros between them or not, if nothing else uses what lies between. */
function reluAndPoolingAfter(
  node: Node,
  graph: Graph,
): { nodes: Node[]; last: Node; window: PaddedWindow } | null {
  const relu = graph.onlyConsumer(node);
  const activation = relu && facts.activation(relu.outboundLayer);
  if (!relu || !activation || !isRelu(activation) || node.outputTensors[0]!.shape.length !== 4) return null;
  const last = poolingAfter(relu, graph);
  const pooling = last && facts.fastMaxPooling(last.outboundLayer);
  if (!pooling) return null;
  const padded = graph.onlyConsumer(relu) as Node;
  const padding = padded === last ? ([0, 0] as const) : facts.symmetricPadding(padded.outboundLayer);
  return padding && { nodes: [...new Set([relu, padded, last])], last, window: { ...pooling, padding } };
}

/** The batch normalization that alone uses a node's value, directly or under another shape. */
function normalizationAfter(node: Node, graph: Graph): Node | null {
  const next = graph.onlyConsumer(node);
  if (!next) return null;
  if (facts.fastBatchNorm(next)) return next;
  // The channels must stay the last axis: that is where the convolution puts them.
  const channels = node.outputTensors[0]!.shape.at(-1);
  const keeps = facts.isReshape(next.outboundLayer) && next.outputTensors[0]!.shape.at(-1) === channels;
  return keeps ? normalizationAfter(next, graph) : null;
}
