import type { Tensor } from '../layers-types.js';
import { nextDropout } from '../dropout-seed.js';
import { attention } from '../kernels/attention.js';
import type { Graph, Node } from './graph.js';
import { kind } from './layer-facts.js';
import type { Step } from './program.js';

/** Multi-head attention found among plain layers. */
export interface AttentionMatch {
  /** Every node between the projection and the joined heads. */
  readonly nodes: readonly Node[];
  /** The one whose value the step computes. */
  readonly last: Node;
  readonly step: Step;
}

const config = ({ outboundLayer }: Node): Record<string, unknown> => outboundLayer.getConfig();
const is = (node: Node | null, className: string): node is Node =>
  node !== null && kind(node.outboundLayer) === className;
const shape = (node: Node): readonly (number | null)[] => node.outputTensors[0]!.shape;
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const isDot = (node: Node | null, axes: readonly [number, number], a: Node, b: Node): node is Node =>
  is(node, 'Dot') &&
  same(config(node)['axes'], axes) &&
  config(node)['normalize'] !== true &&
  node.inputTensors[0] === a.outputTensors[0] &&
  node.inputTensors[1] === b.outputTensors[0];

/**
 * Recognizes the attention of `@g2d/encoders`' Transformer, which is written in plain layers, from the Reshape that
 * splits the projection into heads: `[B, T, 3·H·d]` → `[B, T, 3·H, d]`, slices, and for every head products, scaling,
 * perhaps a mask, softmax, perhaps dropout, weighted values; all heads concatenated.
 *
 * Whatever differs in any option is not recognized and runs layer by layer.
 *
 * @param compute The kernel of the backend.
 */
export function matchAttention(
  node: Node,
  graph: Graph,
  compute: typeof attention = attention,
): AttentionMatch | null {
  const [projected] = node.inputTensors;
  if (!is(node, 'Reshape') || projected?.shape.length !== 3 || shape(node).length !== 4) return null;
  const [, time, parts, size] = shape(node) as [null, number | null, number, number];
  // Rows must stay rows: with an unknown length another split would have a shape as good as this one.
  if (projected.shape[1] !== time || projected.shape[2] !== parts * size || parts % 3 !== 0) return null;
  if (graph.isOutput(node)) return null;
  const heads = parts / 3;
  const nodes: Node[] = [node];

  const slices: Node[] = [];
  const consumers = graph.consumers(node);
  if (consumers.length !== parts) return null;
  for (const crop of consumers) {
    const slice = graph.onlyConsumer(crop);
    if (!is(crop, 'Cropping2D') || !is(slice, 'Reshape') || !same(shape(slice), [null, time, size]))
      return null;
    const { cropping, dataFormat } = config(crop) as {
      cropping: [unknown, [number, number]];
      dataFormat: string;
    };
    const [before] = cropping[1];
    if (dataFormat === 'channelsFirst' || slices[before]) return null;
    if (
      !same(cropping, [
        [0, 0],
        [before, parts - 1 - before],
      ])
    )
      return null;
    slices[before] = slice;
    nodes.push(crop, slice);
  }

  const found: Head[] = [];
  for (let h = 0; h < heads; h++) {
    const head = matchHead(slices[h]!, slices[heads + h]!, slices[2 * heads + h]!, graph);
    if (!head) return null;
    found.push(head);
    nodes.push(...head.nodes);
  }
  const [first, ...others] = found as [Head, ...Head[]];
  const alike = ({ scale, dropout, mask }: Head): boolean =>
    scale === first.scale && dropout === first.dropout && mask === first.mask;
  if (!others.every(alike)) return null;

  const last = heads === 1 ? first.last : graph.onlyConsumer(first.last);
  if (!last) return null;
  if (heads > 1) {
    const inOrder =
      last.inputTensors.length === heads &&
      found.every((head, h) => last.inputTensors[h] === head.last.outputTensors[0]);
    const axis = config(last)['axis'];
    if (!is(last, 'Concatenate') || !inOrder || !(axis === -1 || axis === 2)) return null;
    if (!others.every((head) => graph.onlyConsumer(head.last) === last)) return null;
    nodes.push(last);
  }

  const { scale, dropout, mask } = first;
  const step: Step = {
    inputs: [projected.id, ...(mask ? [mask.id] : [])],
    outputs: [last.outputTensors[0]!.id],
    foreign: false,
    run: ([x, additive], training) => {
      const rate = training ? dropout : 0;
      const drawn = rate > 0 ? found.flatMap((head) => nextDropout(head.dropoutLayer as string) ?? []) : [];
      const seeds = drawn.length > 0 ? drawn.map(({ seed }) => seed) : undefined;
      const attributes = { heads, scale, dropout: rate, seeds, part: drawn[0]?.index ?? 0 };
      return [compute(x as Tensor, additive, attributes)];
    },
  };
  return { nodes, last, step };
}

interface Head {
  readonly nodes: readonly Node[];
  /** The weighted values. */
  readonly last: Node;
  readonly scale: number;
  readonly dropout: number;
  /** Name of the layer that does it. */
  readonly dropoutLayer: string | undefined;
  /** `[B, 1, T]`, added to the scores. */
  readonly mask: Node['inputTensors'][number] | undefined;
}

function matchHead(query: Node, key: Node, value: Node, graph: Graph): Head | null {
  const products = graph.onlyConsumer(query);
  if (!isDot(products, [2, 2], query, key) || graph.onlyConsumer(key) !== products) return null;
  const scaled = graph.onlyConsumer(products);
  if (!is(scaled, 'Rescaling') || config(scaled)['offset'] !== 0) return null;
  const nodes = [products, scaled];

  let scores = scaled;
  let mask: Head['mask'];
  let next = graph.onlyConsumer(scaled);
  if (is(next, 'Add')) {
    const [time] = shape(scaled).slice(-1);
    const others = next.inputTensors.filter((tensor) => tensor !== scaled.outputTensors[0]);
    mask = others[0];
    if (others.length !== 1 || !same(mask?.shape, [null, 1, time])) return null;
    nodes.push(next);
    scores = next;
    next = graph.onlyConsumer(scores);
  }
  if (!is(next, 'Activation') || config(next)['activation'] !== 'softmax') return null;
  nodes.push(next);

  let weights: Node = next;
  let dropout = 0;
  let dropoutLayer: string | undefined;
  next = graph.onlyConsumer(weights);
  if (is(next, 'Dropout')) {
    const { rate, noiseShape, seed } = config(next) as { rate: number; noiseShape: unknown; seed: unknown };
    if ((noiseShape ?? null) !== null || (seed ?? null) !== null) return null;
    // Of a rate of 1 TensorFlow.js's layer makes nothing.
    dropout = rate < 1 ? rate : 0;
    dropoutLayer = next.outboundLayer.name;
    nodes.push(next);
    weights = next;
    next = graph.onlyConsumer(weights);
  }
  if (!isDot(next, [2, 1], weights, value) || graph.onlyConsumer(value) !== next) return null;
  const scale = config(scaled)['scale'] as number;
  return { nodes: [...nodes, next], last: next, scale, dropout, dropoutLayer, mask };
}
