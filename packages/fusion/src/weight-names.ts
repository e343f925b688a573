import type { LayerVariable, layers } from '@tensorflow/tfjs-layers';

/** What TensorFlow.js calls a layer without a name: `dense_Dense5` is the fifth of the process, whatever model it is in. */
const NUMBERED = /^([a-z0-9_]+)_[A-Z][A-Za-z0-9]*\d+$/;

/**
 * Names of a network's weights that are the same in every process.
 *
 * Layers without a name are counted within the network, so that a teacher which was trained alone is found again beside other encoders:
 * the second dense layer of audio is `audio/dense_2`.
 *
 * @param network A modality, or `fusion`.
 */
export function weightNames(
  network: string,
  all: readonly layers.Layer[],
): ReadonlyMap<LayerVariable, string> {
  const names = new Map<LayerVariable, string>();
  const counts = new Map<string, number>();
  const stable = new Map<string, string>();
  for (const weight of new Set(all.flatMap(({ weights }) => weights))) {
    const [layer, ...rest] = weight.originalName.split('/') as [string, ...string[]];
    const [, sort] = NUMBERED.exec(layer) ?? [];
    if (sort !== undefined && !stable.has(layer)) {
      const count = (counts.get(sort) ?? 0) + 1;
      counts.set(sort, count);
      stable.set(layer, `${network}/${sort}_${count}`);
    }
    // A wrapped layer has its wrapper's number.
    const inner = rest.map((part) => NUMBERED.exec(part)?.[1] ?? part);
    names.set(weight, [stable.get(layer) ?? layer, ...inner].join('/'));
  }
  return names;
}
