import * as tf from '@tensorflow/tfjs-core';
import { batches, fromSamples } from '@g2d/datasets';
import { perModality } from '@g2d/core';
import { frozenTeachers, train, type FrozenTeachers } from '@g2d/trainer';
import type { StepMeasurement } from './measure-step.js';
import { methodsOf } from './step-methods.js';
import { buildModel, randomBatch, teachersOf } from './step-parts.js';
import type { StepSetup } from './step-setup.js';
import { stepTimes } from './step-times.js';

/**
 * Times whole epochs of a real `train()` over random samples in memory: shuffling and batching are a part of them, augmentation and
 * evaluation are not. `setup.steps` and `setup.warmup` count epochs; incomplete batches are left out.
 *
 * @param setup Its teachers are `'none'` or `'cached'`.
 */
export async function measureEpochs(setup: StepSetup, samples: number): Promise<StepMeasurement> {
  const { dataset, batch: batchSize, precision, steps, warmup } = setup;
  const modalities = Object.keys(dataset.modalities);
  const epochs = warmup + steps;
  const idle = modalities.slice(1).map(() => 0);
  const phaseEpochs = setup.phase === 'joint' ? [...idle, epochs] : [epochs, ...idle];
  const student = buildModel(dataset, modalities, { seed: 0, precision });
  const all = randomBatch(dataset, samples);
  const whole = teachersOf(setup, all, student.widths);
  const outputs = whole.teachers?.outputs(all);
  const values = perModality(modalities, (name) => (all.inputs[name] as tf.Tensor).dataSync<'float32'>());
  const labels = all.labels.dataSync();
  const data = fromSamples({
    name: 'random',
    split: 'train',
    task: dataset.task,
    classNames: Array.from({ length: dataset.classes }, (_, i) => String(i)),
    shapes: perModality(modalities, (name) => dataset.modalities[name]?.shape ?? []),
    samples: all.ids.map((id, i) => ({
      id,
      label: labels[i] as number,
      inputs: perModality(modalities, (name) => {
        const size = (values[name] as Float32Array).length / samples;
        return (values[name] as Float32Array).slice(i * size, (i + 1) * size);
      }),
    })),
  });
  const pass = (epoch: number) => batches(data, { batchSize, epoch, shuffle: true, dropLast: true });
  const milliseconds: number[] = [];
  try {
    await train({
      model: student.model,
      methods: methodsOf(setup.method === 'g2d' ? { ...setup, options: { phaseEpochs } } : setup),
      ...(outputs && { teachers: byId(outputs, all.ids) }),
      epochs,
      task: dataset.task,
      optimizer: { learningRate: 1e-3, momentum: 0.9, weightDecay: 1e-4 },
      batchesPerEpoch: Math.floor(samples / batchSize),
      batches: pass,
      everySample: () => pass(1),
      onEpoch: ({ seconds }) => void milliseconds.push(1000 * seconds),
    });
    return {
      ms: stepTimes(milliseconds.slice(warmup)),
      peakRssMB: process.resourceUsage().maxRSS / 1024,
    };
  } finally {
    for (const { logits, features } of Object.values(outputs ?? {})) tf.dispose([logits, features]);
    whole.dispose();
    student.dispose();
    tf.dispose(all);
  }
}

/** Teachers of which each batch gets its rows. */
function byId(
  outputs: ReturnType<FrozenTeachers<string>['outputs']>,
  ids: readonly string[],
): FrozenTeachers<string> {
  const places = new Map(ids.map((id, i) => [id, i]));
  const stored = perModality(Object.keys(outputs), (modality) => ({
    rows: (wanted: readonly string[]) => {
      const { logits, features } = outputs[modality] as NonNullable<(typeof outputs)[string]>;
      const rows = tf.tensor1d(
        wanted.map((id) => places.get(id) as number),
        'int32',
      );
      const found = { logits: tf.gather(logits, rows), features: tf.gather(features, rows) };
      rows.dispose();
      return found;
    },
    close: () => {},
  }));
  return frozenTeachers<never, string>({}, { stored });
}
