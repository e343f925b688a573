// Every method of the page's list trains, with the options that the page begins with, on a few samples of every split.
import * as tf from '@tensorflow/tfjs-core';
import { loadTensorFlow } from '@g2d/native';
import { smallAvMnistFromParts, type SmallAvMnistParts } from '@g2d/datasets';
import { readState } from '@g2d/trainer';
import { randomStream } from '@g2d/tensor-ops';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { catalog } from '../../build/catalog.js';
import type { EpochReport, Predictions } from '../protocol.js';
import { DEFAULTS } from '../settings.js';
import { buildTeacher } from './model.js';
import { trainStudent, type Splits } from './student.js';
import { teachersFrom } from './teachers.js';

const random = randomStream(5);
/** Pictures and sounds of nothing, a step of them. */
const parts = (count: number): SmallAvMnistParts[] =>
  Array.from({ length: count }, (_, i) => ({
    digit: i % 10,
    // A bar for each digit, so that few components have nearly all.
    picture: Uint8Array.from({ length: 784 }, (_, pixel) =>
      Math.floor(pixel / 78) <= i % 10 ? 200 + random.integer(9) : random.integer(9),
    ),
    speech: Float32Array.from({ length: 400 }, () => random.normal()),
    noise: Float32Array.from({ length: 400 }, () => random.normal()),
  }));

let splits: Splits;
let teachers: ReturnType<typeof teachersFrom>;
beforeAll(async () => {
  await loadTensorFlow({ backend: 'wasm', quiet: true });
  const train = parts(64);
  splits = smallAvMnistFromParts({
    splits: { train, validation: parts(20), test: parts(20) },
    componentsOf: Uint8Array.from(train.flatMap(({ picture }) => [...picture])),
    imageComponents: 2,
  });
  teachers = teachersFrom({
    ...readState(buildTeacher('audio', 0)),
    ...readState(buildTeacher('image', 0)),
  });
}, 120_000);
afterAll(() => teachers.dispose());

it.each(catalog.map((method) => [method.name, method] as const))('%s', async (name, method) => {
  const epochs: EpochReport[] = [];
  let last: Predictions | undefined;
  const before = tf.memory().numTensors;
  const accuracy = await trainStudent({
    settings: { ...DEFAULTS, method: name },
    method,
    splits,
    teachers: teachers.models,
    resume: undefined,
    watch: {
      step: async () => {},
      epoch(report, predictions) {
        epochs.push(report);
        last = predictions;
      },
    },
  });
  expect(epochs.at(-1)?.epoch).toBe(60);
  for (const { accuracy, train, loss } of epochs) {
    expect(Object.keys(accuracy).sort()).toEqual(['audio', 'fused', 'image']);
    expect(Object.keys(train).sort()).toEqual(['audio', 'fused', 'image']);
    expect(Number.isFinite(loss)).toBe(true);
  }
  expect(last?.probabilities.fused).toHaveLength(200);
  expect(Object.keys(accuracy ?? {}).sort()).toEqual(['audio', 'fused', 'image']);
  // What a training had is freed.
  expect(tf.memory().numTensors).toBe(before);
});
