import * as tf from '@tensorflow/tfjs';
import type { Batch } from '@g2d/datasets';
import { smallImageEncoder } from '@g2d/encoders';
import { lateFusion, MultimodalModel } from '@g2d/fusion';
import { loadTensorFlow } from '@g2d/native';
import { randomStream } from '@g2d/tensor-ops';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeAll, describe, expect, it } from 'vitest';
import { frozenTeachers, train } from '@g2d/trainer';
import { g2dDistillation } from './g2d-distillation.js';
import { modalityPrioritization } from './modality-prioritization.js';

type Modality = 'left' | 'right';

const MODALITIES = ['left', 'right'] as const;
const SIZE = 12;
const STEPS_PER_EPOCH = 350;

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

function model<M extends Modality>(modalities: readonly M[], seed: number): MultimodalModel<M> {
  const encoders = Object.fromEntries(
    modalities.map((name) => [name, smallImageEncoder({ name, inputShape: [SIZE, SIZE, 1], seed })]),
  ) as Record<M, tf.LayersModel>;
  const widths = Object.fromEntries(
    modalities.map((name) => [name, encoders[name].outputs[0]!.shape[1] as number]),
  ) as Record<M, number>;
  return new MultimodalModel({ encoders, fusion: lateFusion({ widths, classes: 3, seed }) });
}

// When the collector runs is up to the machine's load: without a call of ours, garbage would look like a leak.
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const random = randomStream(1);

function* batchesOf(count: number): Generator<Batch<Modality>> {
  for (let i = 0; i < count; i++) {
    const image = () =>
      tf.tensor(
        Float32Array.from({ length: 4 * SIZE * SIZE }, () => random.normal()),
        [4, SIZE, SIZE, 1],
      );
    yield {
      inputs: { left: image(), right: image() },
      labels: tf.tensor1d([0, 1, 2, 0], 'int32'),
      ids: ['a', 'b', 'c', 'd'],
    };
  }
}

describe('a long run', () => {
  it('keeps tf.memory() and resident memory constant over 2,100 steps of G2D in every phase', async () => {
    const student = model(MODALITIES, 0);
    const teachers = frozenTeachers({ left: model(['left'], 1), right: model(['right'], 2) });
    const tensors: number[] = [];
    const bytes: number[] = [];
    const resident: number[] = [];
    await train({
      model: student,
      methods: [g2dDistillation(), modalityPrioritization({ phaseEpochs: [3, 3] })],
      teachers,
      epochs: 6,
      optimizer: { learningRate: 1e-3, momentum: 0.9, weightDecay: 1e-4 },
      batches: async function* () {
        yield* batchesOf(STEPS_PER_EPOCH);
      },
      onEpoch: () => {
        collectGarbage();
        tensors.push(tf.memory().numTensors);
        bytes.push(tf.memory().numBytes);
        resident.push(process.memoryUsage().rss);
      },
    });
    teachers.dispose();
    // The first epoch makes momentum buffers and fills pools.
    expect(new Set(tensors.slice(1)).size).toBe(1);
    expect(new Set(bytes.slice(1)).size).toBe(1);
    // A leak of one activation a step would be 1,400 × 20 kB; the heap is collected.
    const growth = (resident.at(-1)! - resident[1]!) / 2 ** 20;
    expect(growth).toBeLessThan(20);
  });
});
