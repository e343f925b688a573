import * as tf from '@tensorflow/tfjs-core';
import type { MultimodalModel } from '@g2d/fusion';
import { AS_WRITTEN, type Layout, type Place } from './held-tensors.js';

/** A bias that a case has as a row. */
const ROW: Layout = { toOurs: (x) => tf.squeeze(x, [0]), toCase: (x) => tf.expandDims(x, 0) };

/** Tensors with another path than `fusion/<their own>`. */
const NAMES: Readonly<Record<string, string>> = {
  'output.kernel': 'fusion/output/logits/kernel',
  'output.bias': 'fusion/output/logits/bias',
};

/** Matrices, which have no word for their kernel. */
const MATRICES = /\.(project|query|key|value|score|gate|hidden|\w+[A-Z]\w+)$/;

/** Where a tensor of a TATE case is in a model of ours. */
export function tatePlaces(model: MultimodalModel<string>): (name: string) => Place | undefined {
  const { modalities } = model;
  const weights = model.state();
  const pairs = new Map<string, readonly [string, string]>(
    modalities.flatMap((m) =>
      modalities.map((n) => [`common.${m}${n.charAt(0).toUpperCase()}${n.slice(1)}`, [m, n]] as const),
    ),
  );
  const pathOf = (name: string): string => {
    const pair = pairs.get(name);
    if (pair) {
      const inOrder = [...pair].sort((a, b) => modalities.indexOf(a) - modalities.indexOf(b));
      return `fusion/common/${inOrder.join('-')}/kernel`;
    }
    const [owner] = name.split('.') as [string];
    const own = `${name.replaceAll('.', '/')}${MATRICES.test(name) ? '/kernel' : ''}`;
    return NAMES[name] ?? (modalities.includes(owner) ? own : `fusion/${own}`);
  };
  return (name) => {
    const weight = weights.get(pathOf(name));
    return weight && { weight, layout: name === 'output.bias' ? ROW : AS_WRITTEN };
  };
}
