import * as tf from '@tensorflow/tfjs';
import type { MultimodalModel } from '@g2d/fusion';
import { perModality, type PerModality, type Step, type Training } from '@g2d/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { toyModel } from '../../trainer/test/toy.js';
import { modality, tinySetup } from '../test/tiny-setup.js';

import { measureStep, stepCount } from './measure-step.js';
import type { StepDataset } from './step-datasets.js';
import { hasSteps, methodsOf, stepMethodOf, stepMethods } from './step-methods.js';
import type { StepSetup } from './step-setup.js';
import { cachedTeachers } from './step-teachers.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const dataset: StepDataset = {
  ...tinySetup.dataset,
  modalities: { loud: modality, quiet: modality, silent: modality },
  costliest: 'quiet',
};
const joint: StepSetup = { ...tinySetup, dataset, warmup: 2 };

describe('measureStep', () => {
  it.each<[string, Partial<StepSetup>]>([
    ['joint training', {}],
    ['SMP on cached teachers', { method: 'smp', phase: 'prioritized', teachers: 'cached' }],
    ['G2D on cached teachers', { method: 'g2d', phase: 'prioritized', teachers: 'cached', scope: 'encoder' }],
    ['G2D on online teachers', { method: 'g2d', phase: 'joint', teachers: 'online' }],
    ['UMT on online teachers', { method: 'umt', teachers: 'online' }],
    ['OGM', { method: 'ogm' }],
    ['OGM-GE', { method: 'ogm-ge', scope: 'encoder+head' }],
  ])('times %s and leaves no tensor behind', async (_, changes) => {
    const before = tf.memory().numTensors;
    let done = 0;
    const { ms, peakRssMB } = await measureStep({ ...joint, ...changes }, () => void done++);
    expect(done).toBe(5);
    expect(ms.min).toBeGreaterThan(0);
    expect(ms.median).toBeGreaterThanOrEqual(ms.min);
    expect(ms.p95).toBeGreaterThanOrEqual(ms.median);
    expect(peakRssMB).toBeGreaterThan(process.memoryUsage.rss() / 2 ** 20 / 2);
    expect(tf.memory().numTensors).toBe(before);
  });

  /** Why some do not fit these data. */
  const UNFIT: Readonly<Record<string, RegExp>> = {
    'cpm-net': /compares all training samples with one another in every step/,
    tate: /encoders/,
    'mis-me': /is for regression/,
  };

  it.each(Object.entries(UNFIT))('says why %s cannot be measured here', async (method, message) => {
    const teachers = stepMethodOf(method).teachers ? 'cached' : 'none';
    await expect(measureStep({ ...joint, method, teachers }, () => {})).rejects.toThrow(message);
  });

  // New methods are in the list, and measured with no change here.
  it.each([...stepMethods].flatMap(([name, method]) => (hasSteps(method) && !(name in UNFIT) ? [name] : [])))(
    'times %s, whatever it needs',
    async (method) => {
      const { teachers, phases } = stepMethodOf(method);
      const before = tf.memory().numTensors;
      let done = 0;
      const setup: StepSetup = {
        ...joint,
        method,
        steps: 2,
        warmup: 1,
        teachers: teachers ? 'cached' : 'none',
        phase: phases ? 'prioritized' : 'joint',
      };
      const { ms, stages = [] } = await measureStep(setup, () => void done++);
      expect(ms.median).toBeGreaterThan(0);
      expect(done).toBe(stepCount(setup));
      expect(done).toBe(3 * Math.max(1, stages.length));
      const shares = stages.map(({ share }) => share);
      expect(shares.length === 0 ? 1 : shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 10);
      expect(tf.memory().numTensors).toBe(before);
    },
  );

  it('measures every stage: of ReconBoost the last round of all modalities, of DI-MML both', async () => {
    const stagesOf = async (method: string) =>
      (await measureStep({ ...joint, method, steps: 1, warmup: 0 }, () => {})).stages?.map(
        ({ name, share }) => [name.replace(/^\d+: /, ''), share],
      );
    expect(await stagesOf('recon-boost')).toEqual(
      ['quiet', 'silent', 'loud']
        .flatMap((modality) => [`boosting ${modality}`, 'rectifying'])
        .map((name) => [name, 1 / 6]),
    );
    expect(await stagesOf('di-mml')).toEqual([
      ['encoders', 280 / 300],
      ['fusion', 20 / 300],
    ]);
  });

  it('has a teacher of all modalities for a method that wants one', () => {
    const full = toyModel(['loud', 'quiet'], 1);
    const judgement = { modalities: ['loud', 'quiet'], labels: [0, 1], classes: 3, prioritized: 'loud' };
    const widths = { loud: 5, quiet: 5 };
    expect(cachedTeachers(judgement, widths, full).full()).toBe(full);
    expect(() => cachedTeachers(judgement, widths).full()).toThrow(/needs a teacher that has all modalities/);
  });

  it('takes the options of a method, and asks for those that nobody can guess', () => {
    const [own] = methodsOf({
      ...joint,
      method: 'recon-boost',
      options: { boostEpochs: 1, rectifyEpochs: 1 },
    });
    expect(own?.stages?.({ epochs: 2, modalities: ['loud', 'quiet', 'silent'] })).toHaveLength(2);
    expect(() => methodsOf({ ...joint, method: 'agm', options: { alphas: 1 } })).toThrow(
      /no option `alphas`/,
    );
  });

  it('leaves no tensor behind after an error', async () => {
    const before = tf.memory().numTensors;
    const interrupt = () => {
      throw new Error('Enough.');
    };
    await expect(measureStep({ ...joint, method: 'g2d', teachers: 'online' }, interrupt)).rejects.toThrow(
      'Enough.',
    );
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('methodsOf', () => {
  /** κ in a step with cached teachers. */
  async function coefficients(changes: Partial<StepSetup>): Promise<PerModality<string, number>> {
    const model: MultimodalModel<string> = toyModel(['loud', 'quiet'], 0);
    const { modalities } = model;
    const labels = [0, 2, 2, 1];
    const prioritized = changes.prioritized as string;
    const teachers = cachedTeachers({ modalities, labels, classes: 3, prioritized }, { loud: 5, quiet: 5 });
    const inputs = perModality(modalities, () => tf.zeros([4, 4]));
    const batch = { inputs, labels: tf.tensor1d(labels, 'int32'), ids: ['a', 'b', 'c', 'd'] };

    const two = { ...dataset, modalities: { loud: modality, quiet: modality } };
    const [smp] = methodsOf({ ...joint, dataset: two, method: 'smp', scope: 'encoder', ...changes });
    const training = { model, epochs: 1, task: 'classification' };
    const state = await smp?.init?.(training as unknown as Training<string>);
    let logged: Readonly<Record<string, PerModality<string, number>>> = {};
    const step = {
      ...training,
      epoch: 1,
      batch,
      teacherOutputs: teachers.outputs(batch),
      presentSamples: perModality(modalities, () => 4),
      meanByModality: (values: PerModality<string, tf.Tensor1D>) =>
        perModality(modalities, (name) => tf.mean(values[name]!).dataSync()[0]!),
      log: (series: typeof logged) => void (logged = series),
    };
    smp?.plan?.(step as unknown as Step<string>, state);
    return logged['coefficients']!;
  }

  it('lets the modality train that was asked for', async () => {
    expect(await coefficients({ phase: 'prioritized', prioritized: 'quiet' })).toEqual({ loud: 0, quiet: 1 });
    expect(await coefficients({ phase: 'prioritized', prioritized: 'loud' })).toEqual({ loud: 1, quiet: 0 });
  });

  it('lets every modality train in the joint phase', async () => {
    expect(await coefficients({ phase: 'joint', prioritized: 'quiet' })).toEqual({ loud: 1, quiet: 1 });
  });
});
