// Encoders, fusions and datasets that stand in no list: one file each, named in the configuration.
import * as tf from '@tensorflow/tfjs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { toyConfig } from '../test/toy-config.js';
import { buildModel } from './build-model.js';
import { openData } from './open-data.js';
import { parseConfig } from './read-config.js';

const file = (name: string): string => fileURLToPath(new URL(`../test/${name}.ts`, import.meta.url));
const module = (path: string, options: object = {}): object => ({
  type: 'module',
  path: file(path),
  options,
});

beforeAll(async () => {
  await tf.setBackend('cpu');
});

async function built(changes: object) {
  const config = parseConfig(toyConfig(changes));
  const data = await openData(config);
  const { model, encoders } = await buildModel(config, data.train, []);
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
