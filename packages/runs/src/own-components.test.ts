// Encoders, fusions and datasets that stand in no list: one file each, named in the configuration.
import * as tf from '@tensorflow/tfjs';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { lateFusion } from '@g2d/fusion';
import { toyConfig } from '../test/toy-config.js';
import { buildModel } from './build-model.js';
import { factsOf, modalitiesOf } from './modalities.js';
import { openData } from './open-data.js';
import { planRun } from './plan-run.js';
import { parseConfig } from './read-config.js';
import { trainRun } from './train-run.js';

const file = (name: string): string => fileURLToPath(new URL(`../test/${name}.ts`, import.meta.url));
const module = (path: string, options: object = {}): object => ({
  type: 'module',
  path: file(path),
  options,
});

let root: string;
beforeAll(async () => {
  await tf.setBackend('cpu');
});
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'g2d-own-components-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function built(changes: object) {
  const config = parseConfig(toyConfig(changes));
  const plan = await planRun(config);
  const data = await openData(plan);
  const facts = factsOf(modalitiesOf(config, data.train), data.train);
  const { model, encoders } = await buildModel(plan.model, facts);
  return { data, model, widths: Object.values(encoders).map(({ outputs }) => outputs[0]?.shape[1]) };
}

describe('components of a user’s own', () => {
  it('are made with options that are checked and have defaults', async () => {
    const { data, widths } = await built({
      dataset: { name: 'module', path: file('own-dataset') },
      encoders: { loud: module('own-encoder', { units: 7 }), quiet: module('own-encoder') },
      fusion: module('own-fusion', { extra: 1 }),
    });
    expect(widths).toEqual([7, 4]);
    expect(data.validation?.size).toBe(30);
  });

  it('are refused with sentences that name the key', async () => {
    const encoders = { loud: module('own-encoder', { units: 12 }), quiet: module('own-encoder') };
    await expect(built({ encoders })).rejects.toThrow(
      'In the configuration, "encoders.loud.options.units" is 12; it must be at most 9.',
    );
    await expect(built({ fusion: module('own-fusion') })).rejects.toThrow(
      /"fusion\.options\.extra" is missing/,
    );
    const dataset = { name: 'module', path: file('own-dataset'), options: { valid: false } };
    await expect(built({ dataset })).rejects.toThrow(
      /unknown key "dataset\.options\.valid"; known here: validation\./,
    );
  });

  it('can lack a validation split', async () => {
    const dataset = { name: 'module', path: file('own-dataset'), options: { validation: false } };
    const { data } = await built({ dataset, select: 'last' });
    expect(data.validation).toBeUndefined();
    await expect(built({ dataset })).rejects.toThrow(/there is none: Toys has no validation split\./);
  });
});

describe('a run’s folder', () => {
  const toys = { name: 'toys', label: 'Toys', summary: 'a loud and a quiet modality' };
  const dense = { name: 'small-dense', label: 'Small dense', summary: 'one dense layer' };

  async function recorded(changes: object): Promise<unknown> {
    const out = mkdtempSync(join(root, 'run-'));
    await trainRun(parseConfig(toyConfig({ epochs: 1, ...changes })), { out });
    return JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')).components;
  }

  it('has the words of all its components', async () => {
    const components = await recorded({
      dataset: { name: 'module', path: file('own-dataset') },
      encoders: { loud: module('own-encoder'), quiet: module('own-encoder') },
      fusion: module('own-fusion', { extra: 1 }),
    });
    expect(components).toEqual({
      // With its place in the list of methods.
      method: [{ name: 'joint', label: 'Joint training', summary: expect.any(String), order: 0 }],
      encoders: { loud: dense, quiet: dense },
      fusion: { name: 'mine', label: 'Mine', summary: 'late fusion that begins elsewhere' },
      dataset: toys,
    });
  });

  it('has none of a plain function, of a fusion that belongs to a method, or where there is one modality', async () => {
    const method = [expect.anything()];
    const encoders = { loud: module('toy-encoder'), quiet: module('own-encoder') };
    const { name, label, summary } = lateFusion;
    expect(await recorded({ encoders })).toEqual({
      method,
      encoders: { quiet: dense },
      fusion: { name, label, summary },
    });
    expect(await recorded({ method: 'mla' })).toEqual({ method, encoders: {} });
    expect(await recorded({ modalities: ['loud'] })).toEqual({ method, encoders: {} });
  });
});

describe('components by name', () => {
  it('have the defaults of their definitions in a configuration', () => {
    const config = parseConfig(
      toyConfig({
        dataset: { name: 'crema-d', root: 'data/crema-d' },
        encoders: { audio: { type: 'transformer', heads: 4 }, video: { type: 'resnet18', weights: 'a.pth' } },
        fusion: { type: 'gated', hidden: 64 },
      }),
    );
    expect(config.dataset).toMatchObject({ official: false, frames: 1, padding: 'zeros' });
    expect(config.encoders).toMatchObject({
      audio: { heads: 4, layers: 4, width: 768 },
      video: { weights: 'a.pth' },
    });
    expect(config.fusion).toEqual({ type: 'gated', hidden: 64 });
  });

  it('are refused where they are none, or their options are wrong', () => {
    const refused = (changes: object, message: RegExp | string): void =>
      expect(() => parseConfig(toyConfig(changes), { where: 'a.json' })).toThrow(message);
    refused(
      { fusion: { type: 'product' } },
      /In a\.json, "fusion\.type" is "product"; it must be .*"late", "sum"/,
    );
    refused(
      { encoders: { audio: { type: 'transformer', head: 4 } } },
      'a.json has an unknown key "encoders.audio.head"; known here: type, layers, heads, width, feedForward, dropout, paddingMask, weights.',
    );
    refused({ dataset: { name: 'mis-me' } }, 'In a.json, "dataset.root" is missing; it must be a text.');
  });
});
