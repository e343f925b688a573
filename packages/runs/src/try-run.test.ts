// What is known before the first step: nothing is trained or written then.
import * as tf from '@tensorflow/tfjs';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { toyConfig, toyTeacher } from '../test/toy-config.js';
import { loadRun } from './load-run.js';
import { parseConfig } from './read-config.js';
import { trainRun } from './train-run.js';
import { tryRun } from './try-run.js';

let root: string;
beforeAll(async () => {
  await tf.setBackend('cpu');
});
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'g2d-try-run-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const { dataset } = toyConfig() as { dataset: object };
const withData = (options: object): object => toyConfig({ dataset: { ...dataset, options } });

describe('before the first step', () => {
  it('the first samples of each split are read and given to the model', async () => {
    const refused = async (config: object, message: RegExp): Promise<void> => {
      const out = join(root, 'refused');
      await expect(trainRun(parseConfig(config), { out })).rejects.toThrow(message);
      expect(existsSync(out)).toBe(false);
    };
    await refused(
      withData({ wrongLabel: 7 }),
      /sample "toy\/test\/0" has the label 7; it must be a class id, 0 to 2/,
    );
    await refused(withData({ broken: 1 }), /for sample ".+" of the train split, before any training/);
    await refused(withData({ unreadable: 1 }), /The file is gone/);
  });

  it('a student is tried without its teachers', async () => {
    const g2d = (methodOptions: object, changes: object = {}) =>
      tryRun(parseConfig(toyConfig({ method: 'g2d', methodOptions, ...changes })));
    const smp = { phaseEpochs: [1, 1] };
    await expect(g2d({ smp: { ...smp, scope: 'conv' } })).rejects.toThrow(
      /"smp" acts on parameters of the kind conv, and loud has none/,
    );
    await expect(g2d({ smp: { ...smp, scope: 'encoder' } }, { epochs: 0 })).rejects.toThrow(/"epochs" is 0/);
    const before = tf.memory().numTensors;
    await g2d({ smp: { ...smp, scope: 'encoder' } });
    expect(tf.memory().numTensors).toBe(before);
  });
});

it('layers without names are found again in the teachers', async () => {
  const { encoders } = toyConfig() as { encoders: Record<string, object> };
  const unnamed = Object.fromEntries(
    Object.entries(encoders).map(([name, own]) => [name, { ...own, options: { named: false } }]),
  );
  const at = (name: string): string => join(root, name);
  for (const modality of ['loud', 'quiet'] as const)
    await trainRun(parseConfig(toyTeacher(modality, { encoders: unnamed, epochs: 1 })), {
      out: at(modality),
    });
  const student = toyConfig({
    encoders: unnamed,
    method: 'g2d-loss',
    epochs: 1,
    teachers: { loud: at('loud'), quiet: at('quiet') },
  });
  await trainRun(parseConfig(student), { out: at('g2d') });
  // In another process the counters are others; here they have gone on.
  const { epoch, close } = await loadRun(at('g2d'), { trust: true });
  await close();
  expect(epoch).toBe(1);
});
