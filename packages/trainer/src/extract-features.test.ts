import * as tf from '@tensorflow/tfjs';
import { featureAlignment } from '@g2d/analysis';
import { missingModalities } from '@g2d/datasets';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { toyConfig, toyTeacher } from '../../runs/test/toy-config.js';
import { toyDataset, toyModel } from '../test/toy.js';
import { extractFeatures } from './extract-features.js';
import { readState } from './model-state.js';
import { loadRun, parseConfig, trainRun } from '@g2d/runs';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const data = toyDataset('test', 7, 1);

describe('extractFeatures', () => {
  it('gives the encoders’ numbers of every sample, in the order of the dataset', async () => {
    const model = toyModel(['loud', 'quiet'], 0);
    const state = readState(model);
    const features = await extractFeatures(model, data, { batchSize: 3 });
    expect(Object.keys(features)).toEqual(['loud', 'quiet']);
    const name = Object.keys(state).find((key) => /^loud\/.*kernel/.test(key)) as string;
    for (const index of [0, 4, 6]) {
      const { loud } = (await data.sample(index)).inputs;
      const kernel = state[name]?.values as ArrayLike<number>;
      for (let unit = 0; unit < 5; unit++) {
        // The biases are 0 at the start.
        const expected = loud.reduce((sum, value, i) => sum + value * (kernel[i * 5 + unit] as number), 0);
        expect(features.loud[index]?.[unit]).toBeCloseTo(expected, 5);
      }
    }
    expect(features.quiet.map((row) => row.length)).toEqual([5, 5, 5, 5, 5, 5, 5]);
    expect(features.quiet[0]).toBeInstanceOf(Float32Array);
  });

  it('does not depend on the size of the batches, and leaves no tensor behind', async () => {
    const model = toyModel(['loud', 'quiet'], 0);
    const whole = await extractFeatures(model, data);
    const before = tf.memory().numTensors;
    expect(await extractFeatures(model, data, { batchSize: 2 })).toEqual(whole);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('feeds the alignment of a student with its teacher, which has one modality', async () => {
    const [student, teacher, other] = [
      toyModel(['loud', 'quiet'], 0),
      toyModel(['quiet'], 0),
      toyModel(['quiet'], 9),
    ];
    const own = await extractFeatures(student, data);
    const theirs = await extractFeatures(teacher, data);
    expect(Object.keys(theirs)).toEqual(['quiet']);
    // The same seed: the same encoder.
    expect(featureAlignment(own.quiet, theirs.quiet)).toBeCloseTo(1, 6);
    expect(featureAlignment(own.quiet, (await extractFeatures(other, data)).quiet)).toBeLessThan(0.9);
  });

  it('takes the models of run folders: distillation brings a student nearer to its teacher', async () => {
    const root = mkdtempSync(join(tmpdir(), 'g2d-features-'));
    const out = (name: string): string => join(root, name);
    const runOf = (config: object, name: string) => trainRun(parseConfig(config), { out: out(name) });
    try {
      await runOf(toyTeacher('loud'), 'teacher-loud');
      await runOf(toyTeacher('quiet'), 'teacher-quiet');
      const teachers = { loud: out('teacher-loud'), quiet: out('teacher-quiet') };
      const longer = { epochs: 10, seed: 5 };
      await runOf(toyConfig({ ...longer, method: 'joint' }), 'joint');
      await runOf(toyConfig({ ...longer, method: 'umt', teachers }), 'umt');
      const teacher = await loadRun(teachers.loud, { trust: true });
      const taught = await extractFeatures(teacher.model, teacher.data.test);
      const alignments = [];
      for (const name of ['joint', 'umt']) {
        const student = await loadRun(out(name), { trust: true });
        const own = await extractFeatures(student.model, student.data.test);
        alignments.push(featureAlignment(own['loud'] ?? [], taught['loud'] ?? []));
        await student.close();
      }
      await teacher.close();
      expect(alignments[0]).toBeLessThan(0.5);
      expect(alignments[1]).toBeGreaterThan(0.95);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });

  it('leaves out the samples that lack the modality', async () => {
    const partial = missingModalities(data, { rate: 0.4, seed: 0 });
    const model = toyModel(['loud', 'quiet'], 0);
    const [all, some] = [
      await extractFeatures(model, data),
      await extractFeatures(model, partial, { batchSize: 3 }),
    ];
    for (const modality of ['loud', 'quiet'] as const) {
      const samples = await Promise.all(data.ids.map((_, i) => partial.sample(i)));
      expect(some[modality]).toEqual(all[modality].filter((_, i) => samples[i]?.present?.[modality]));
    }
    expect(some.loud.length + some.quiet.length).toBe(8);
  });

  it('refuses a dataset without one of the modalities', async () => {
    const model = toyModel(['loud', 'quiet'], 0);
    const loud = { ...data, modalities: ['loud'] } as unknown as typeof data;
    await expect(extractFeatures(model, loud)).rejects.toThrow('no modality "quiet"');
  });
});
