import type { layers, LayersModel, SymbolicTensor } from '../layers-types.js';

export type Layer = layers.Layer;

/** One application of a layer. */
export type Node = Layer['inboundNodes'][number];

/** The applications that lead to a model's outputs, and who uses whose value. */
export interface Graph {
  /** Each node after those it needs. */
  readonly nodes: readonly Node[];
  /** The only consumer of a node's value, or `null` if there are more or the value is an output of the model. */
  onlyConsumer(node: Node): Node | null;
  /** Every consumer of a node's only value, once for each use. */
  consumers(node: Node): readonly Node[];
  /** Whether one of a node's values is an output of the model. */
  isOutput(node: Node): boolean;
}

/** Reads the graph of a model from its symbolic tensors. */
export function graphOf(model: LayersModel): Graph {
  const seen = new Set(model.inputs.map(({ id }) => id));
  const consumers = new Map<number, Node[]>();
  const nodes: Node[] = [];
  const visit = (tensor: SymbolicTensor): void => {
    if (seen.has(tensor.id)) return;
    const node = tensor.sourceLayer.inboundNodes[tensor.nodeIndex] as Node;
    for (const output of node.outputTensors) seen.add(output.id);
    node.inputTensors.forEach(visit);
    for (const { id } of node.inputTensors) consumers.set(id, [...(consumers.get(id) ?? []), node]);
    nodes.push(node);
  };
  model.outputs.forEach(visit);

  const outputs = new Set(model.outputs.map(({ id }) => id));
  return {
    nodes,
    isOutput: ({ outputTensors }) => outputTensors.some(({ id }) => outputs.has(id)),
    consumers: ({ outputTensors }) => consumers.get(outputTensors[0]?.id as number) ?? [],
    onlyConsumer: ({ outputTensors }) => {
      const [output, ...others] = outputTensors;
      if (!output || others.length > 0 || outputs.has(output.id)) return null;
      const [consumer, ...more] = consumers.get(output.id) ?? [];
      return consumer && more.length === 0 ? consumer : null;
    },
  };
}
