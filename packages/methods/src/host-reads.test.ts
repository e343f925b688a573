// How often a step fetches values: on a GPU each time the host waits until all that was asked before is done. docs/gpu.md has the numbers.
import * as tf from '@tensorflow/tfjs';
import type { Batch } from '@g2d/core';
import { batches } from '@g2d/datasets';
import { loadTensorFlow } from '@g2d/native';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { batchSizeOf, dataOf, recipes, toyTeachers, train, type Recipe } from '../test/resume.js';
import type { Modality } from '../test/toy.js';

/** TensorFlow's backend: values that come from JavaScript stay there until an operation needs them. */
interface Backend {
  readonly tensorMap: { get(dataId: object): { readonly values: unknown } };
  readSync(dataId: object): unknown;
}

let backend: Backend;

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
  backend = tf.backend() as unknown as Backend;
});

/** Of each step but the first, in which logits are looked at once for what they might be. */
async function readsOf(recipe: Recipe): Promise<number[]> {
  const counts: number[] = [];
  let reads: number | undefined;
  const spy = vi.spyOn(backend, 'readSync').mockImplementation(function (this: Backend, dataId) {
    if (reads !== undefined && this.tensorMap.get(dataId).values === null) reads++;
    return (Object.getPrototypeOf(this) as Backend).readSync.call(this, dataId);
  });
  const teachers = toyTeachers(recipe);
  const { data, hidden } = dataOf(recipe);
  try {
    await train(recipe, {
      teachers,
      batches: async function* (epoch, startBatch): AsyncGenerator<Batch<Modality>> {
        const order = { batchSize: batchSizeOf(recipe), epoch, startBatch, shuffle: true, seed: 11 };
        for await (const batch of batches(recipe.hides ? hidden : data, order)) {
          reads = 0;
          yield batch;
        }
      },
      afterStep() {
        counts.push(reads as number);
        // Evaluations are not counted.
        reads = undefined;
        return undefined;
      },
    });
  } finally {
    spy.mockRestore();
    teachers.dispose();
  }
  return counts.slice(1);
}

/** The others once: losses and predictions together. */
const MORE: Readonly<Record<string, number>> = {
  // Scores of the batch decide what is done with its gradients, or in which loss they are of.
  ogm: 2,
  'ogm-ge': 2,
  'ogm-ge with a seed': 2,
  agm: 2,
  'agm, as released': 4,
  pmr: 2,
  'pmr, as released': 2,
  olm: 2,
  'smp, ranked by the epoch': 2,
  'umt and smp': 2,
  g2d: 2,
  // Parts of their own loss.
  'di-mml': 2,
  'dlmg, learnable': 2,
  'dlmg, learnable as the problem says': 2,
  'mis-me, two numbers': 2,
  qmf: 3,
  'qmf, the other readings': 3,
  // Several losses, or updates, one after another.
  mla: 3,
  'mla, projection': 5,
  'mla, official projection': 5,
  'mm-pareto': 4,
  greedy: 9,
  'greedy, as released': 9,
  'greedy, random': 9,
  'cpm-net': 14,
  'cpm-net, as released': 14,
};

describe('values that a step fetches', () => {
  it.each(Object.entries(recipes))('%s', async (name, recipe) => {
    expect(Math.max(...(await readsOf(recipe)))).toBe(MORE[name] ?? 1);
  });

  it('are all that is named here', () => {
    expect(Object.keys(MORE).filter((name) => !recipes[name])).toEqual([]);
  });
});
