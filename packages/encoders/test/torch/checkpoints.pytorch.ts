// Checkpoints both ways between our encoders and real PyTorch: npm run test:pytorch. Not a part of `npm test`.
import * as tf from '@tensorflow/tfjs';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mobileNetV2, resnet18, tabularMlp, transformer, unimodalClassifier } from '@g2d/encoders';
import { exportTorch, importTorch } from '@g2d/encoders/node';
import { loadTensorFlow } from '@g2d/native';
import { decodeSafetensors, encodeSafetensors } from '@g2d/formats';
import { writeFileAtomic } from '@g2d/formats/node';
import type { NamedArray } from '@g2d/core';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pythonWithTorch } from './python.js';

const audio = (inputShape: [number, number, number], seed: number) =>
  resnet18({ name: 'audio', inputShape, seed });
/** What `exchange.py` has under the same names. */
const networks: Readonly<Record<string, (seed: number) => tf.LayersModel>> = {
  audio: (seed) => audio([65, 47, 1], seed),
  image: (seed) => resnet18({ name: 'image', inputShape: [64, 64, 3], seed }),
  mobile: (seed) => mobileNetV2({ name: 'image', inputShape: [64, 64, 3], seed }),
  teacher: (seed) => unimodalClassifier(audio([65, 47, 1], seed), { classes: 6, seed }),
  text: (seed) =>
    transformer({
      name: 'text',
      inputShape: [7, 20],
      seed,
      layers: 2,
      heads: 4,
      width: 16,
      feedForward: 32,
    }),
  weather: (seed) => tabularMlp({ name: 'weather', inputShape: [8], seed }),
};

const folder = mkdtempSync(join(tmpdir(), 'g2d-pytorch-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string): string => join(folder, name);
const read = (name: string) => decodeSafetensors(readFileSync(path(name)), name);
const tensor = ({ shape, values }: NamedArray): tf.Tensor => tf.tensor(values, [...shape]);

/** Scales, shifts and statistics begin with constants, with which mistakes would not show. */
function randomize(model: tf.LayersModel): tf.LayersModel {
  for (const [i, weight] of model.weights.entries()) {
    const shape = weight.shape as number[];
    if (/variance|gamma/.test(weight.originalName))
      weight.write(tf.randomUniform(shape, 0.8, 1.2, 'float32', i + 1));
    else if (/bias|beta|mean/.test(weight.originalName))
      weight.write(tf.randomNormal(shape, 0, 0.1, 'float32', i + 1));
  }
  return model;
}

const inputs: Record<string, tf.Tensor> = {};
const ours: Record<string, tf.LayersModel> = {};
let oursInTorch: Record<string, NamedArray>;
let theirs: Record<string, NamedArray>;

const forward = (model: tf.LayersModel, x: tf.Tensor): tf.Tensor =>
  [model.apply(x, { training: false })].flat()[0] as tf.Tensor;
const expectAlike = (actual: tf.Tensor, expected: NamedArray): void =>
  expectTensorClose(actual, tensor(expected), { atol: 1e-4 * Math.max(...expected.values.map(Math.abs)) });

beforeAll(async () => {
  const python = pythonWithTorch();
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
  const stored: Record<string, NamedArray> = {};
  for (const [name, build] of Object.entries(networks)) {
    const model = randomize(build(1));
    const x = tf.randomNormal([2, ...(model.inputs[0]!.shape.slice(1) as number[])], 0, 1, 'float32', 7);
    const channelsFirst = x.rank === 4 ? tf.transpose(x, [0, 3, 1, 2]) : x;
    stored[name] = { shape: channelsFirst.shape, values: new Float32Array(channelsFirst.dataSync()) };
    inputs[name] = x;
    ours[name] = model;
    exportTorch(model, path(`ours-${name}.safetensors`));
  }
  writeFileAtomic(path('inputs.safetensors'), encodeSafetensors(stored));
  execFileSync(python, [join(import.meta.dirname, 'exchange.py'), folder], { stdio: 'inherit' });
  oursInTorch = read('ours-outputs.safetensors');
  theirs = read('theirs-outputs.safetensors');
});

describe('exportTorch', () => {
  it.each(Object.keys(networks))('%s loads in PyTorch with strict=True and computes the same', (name) => {
    expectAlike(forward(ours[name]!, inputs[name]!), oursInTorch[name]!);
  });
});

describe('importTorch', () => {
  it.each(Object.keys(networks))('%s that PyTorch saved computes the same', (name) => {
    const model = networks[name]!(2);
    importTorch(path(`theirs-${name}.pth`), model);
    expectAlike(forward(model, inputs[name]!), theirs[name]!);
  });

  it.each([
    ['imagenet', 'image', /^fc\.|num_batches/],
    ['imagenet-mobile', 'mobile', /^classifier\.|num_batches/],
  ])('%s of torchvision leaves its classifier unused', (name, network, rest) => {
    const model = networks[network]!(2);
    const { unused, format } = importTorch(path(`theirs-${name}.pth`), model);
    expectAlike(forward(model, inputs[network]!), theirs[name]!);
    expect(format).toBe('pth-legacy');
    expect(unused.filter((tensor) => !rest.test(tensor))).toEqual([]);
  });

  it.each([
    ['audio', 'model.module.audio_net.'],
    ['image', 'model.module.visual_net.'],
  ])('the %s encoder of a student in a checkpoint of a training', (name, prefix) => {
    const model = networks[name]!(2);
    expect(importTorch(path('theirs-student.pth'), model).prefix).toBe(prefix);
    expectAlike(forward(model, inputs[name]!), theirs[`student-${name}`]!);
  });

  it('float16', () => {
    const model = networks['image']!(2);
    expect(importTorch(path('theirs-half.safetensors'), model).loaded).toHaveLength(100);
  });

  it('refuses ResNet-50, ResNet-34 and another number of channels', () => {
    const [image, spectrogram] = [networks['image']!(2), networks['audio']!(2)];
    expect(() => importTorch(path('theirs-resnet50.pth'), image)).toThrow(
      /`layer1\.0\.conv1\.weight of .*theirs-resnet50\.pth` has shape \[64, 64, 1, 1\]; expected \[64, 64, 3, 3\] for the variable image\/layer1\/0\/conv1\/kernel/,
    );
    expect(() => importTorch(path('theirs-resnet34.pth'), image)).toThrow(
      /has a tensor 'layer1\.2\.conv1\.weight', for which the model "image" has no variable/,
    );
    expect(() => importTorch(path('theirs-imagenet.pth'), spectrogram)).toThrow(
      /`conv1\.weight of .*` has shape \[64, 3, 7, 7\]; expected \[64, 1, 7, 7\]/,
    );
  });
});
