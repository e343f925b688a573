import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { encodeSafetensors } from '@g2d/formats';
import { afterAll, describe, expect, it } from 'vitest';
import type { BuiltModel } from './build-model.js';
import { loadInitialWeights } from './initial-weights.js';
import { parseConfig } from './read-config.js';

const folder = mkdtempSync(join(tmpdir(), 'g2d-initial-weights-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Two networks of one convolution over three channels: the weights of the second are ten times as large. */
const file = join(folder, 'two.safetensors');
const kernel = (scale: number) => ({
  shape: [1, 3, 1, 1],
  values: Float32Array.of(scale, 2 * scale, 3 * scale),
});
writeFileSync(
  file,
  encodeSafetensors({ 'model.conv1.weight': kernel(1), 'model_ema.conv1.weight': kernel(10) }),
);

const encoder = (channels: number): tf.LayersModel => {
  const model = tf.sequential({ name: 'a' });
  model.add(
    tf.layers.conv2d({
      name: 'a/conv1',
      filters: 1,
      kernelSize: 1,
      useBias: false,
      inputShape: [2, 2, channels],
    }),
  );
  return model;
};

/** The kernel of an encoder that begins with these weights. */
function loaded(weights: unknown, channels = 3): number[] {
  const model = encoder(channels);
  const config = parseConfig({
    dataset: { name: 'module', path: './data.mjs' },
    encoders: { a: { type: 'small-image', weights } },
    epochs: 1,
    batchSize: 1,
    optimizer: { type: 'sgd', learningRate: 0.1 },
  });
  const built = { model: { state: () => new Map() }, encoders: { a: model } };
  loadInitialWeights(built as unknown as BuiltModel, config);
  return [...(model.weights[0] as tf.LayerVariable).read().dataSync()];
}

describe('loadInitialWeights', () => {
  it('takes the network that the prefix names', () => {
    expect(loaded({ path: file, prefix: 'model.' })).toEqual([1, 2, 3]);
    expect(loaded({ path: file, prefix: 'model_ema.' })).toEqual([10, 20, 30]);
  });

  it('says how to name it in the configuration', () => {
    const way = JSON.stringify({ path: file, prefix: 'model.' });
    expect(() => loaded(file)).toThrow(`Say which: "encoders.a.weights": ${way}.`);
    expect(loaded(JSON.parse(way))).toEqual([1, 2, 3]);
  });

  it.each([
    ['sum', 6],
    ['mean', 2],
  ])('takes the %s over colours for one channel, where that is said', (channels, expected) => {
    expect(loaded({ path: file, prefix: 'model.', channels }, 1)).toEqual([expected]);
    const way = JSON.stringify({ path: file, prefix: 'model.', channels: 'sum' });
    expect(() => loaded({ path: file, prefix: 'model.' }, 1)).toThrow(
      `the checkpoint is for 3 channels. Their kernels can be added ("encoders.a.weights": ${way}), or averaged ('mean')`,
    );
  });

  it.each([
    [
      { path: file, prefx: 'model.' },
      /unknown key "encoders\.a\.weights\.prefx"; known here: path, prefix, channels/,
    ],
    [{ path: file, channels: 'max' }, /"encoders\.a\.weights\.channels" is "max"; it must be "sum", "mean"/],
    [{ prefix: 'model.' }, /"encoders\.a\.weights\.path" is missing; it must be a text/],
    [7, /"encoders\.a\.weights" is 7; it must be a text, or an object/],
    [
      { path: join(folder, 'gone.pth') },
      /"encoders\.a\.weights" is \S*gone\.pth, and there is no such file or run folder/,
    ],
    [
      { path: folder, prefix: 'model.' },
      /"encoders\.a\.weights\.prefix" is for PyTorch checkpoints, but \S+ is a run folder/,
    ],
  ])('refuses %j', (weights, message) => {
    expect(() => loaded(weights)).toThrow(message);
  });
});
