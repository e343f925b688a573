import * as tf from '@tensorflow/tfjs';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTensorFlow } from '@g2d/native';
import { decodeSafetensors } from '@g2d/formats';
import { expectNoLeak } from '@g2d/tensor-ops/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mobileNetV2 } from '../mobilenet-v2.js';
import { resnet18 } from '../resnet18.js';
import { unimodalClassifier } from '../unimodal-classifier.js';
import { exportTorch } from './export-torch.js';
import { importTorch } from './import-torch.js';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

const temporary = mkdtempSync(join(tmpdir(), 'g2d-export-torch-'));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));
const path = (name: string): string => join(temporary, name);

const torchvision = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../test/torch/expected.json'), 'utf8'),
) as Record<string, Record<string, number[]>>;

const small = (name: string): tf.LayersModel =>
  tf.sequential({
    name,
    layers: [
      tf.layers.conv2d({ name: `${name}/conv1`, inputShape: [4, 4, 2], filters: 3, kernelSize: 2 }),
      tf.layers.depthwiseConv2d({ name: `${name}/conv2`, kernelSize: 2, depthMultiplier: 2 }),
      tf.layers.globalAveragePooling2d({ name: `${name}/pool` } as never),
    ],
  });
const read = (file: string) => decodeSafetensors(readFileSync(file), file);
const shapes = (file: string) =>
  Object.fromEntries(Object.entries(read(file)).map(([name, { shape }]) => [name, shape]));

describe('exportTorch', () => {
  it.each([
    ['resnet18', () => resnet18({ name: 'image', inputShape: [64, 64, 3], seed: 1 }), /^fc\./],
    ['mobilenet_v2', () => mobileNetV2({ name: 'image', inputShape: [64, 64, 3], seed: 1 }), /^classifier\./],
  ])(
    'writes the names and shapes of torchvision’s %s without its classifier, and reads them back',
    (name, build, head) => {
      const model = build();
      const file = path(`${name}.safetensors`);
      exportTorch(model, file);
      const theirs = Object.entries(torchvision[`${name}:shapes`]!).filter(([tensor]) => !head.test(tensor));
      expect(shapes(file)).toEqual(Object.fromEntries(theirs));

      // Other values everywhere, so that a tensor that is left out shows.
      const copy = build();
      for (const weight of copy.weights) weight.write(tf.fill(weight.shape as number[], 9));
      expect(importTorch(file, copy)).toMatchObject({ format: 'safetensors', prefix: '', unused: [] });
      const pairs = copy.weights.map((weight, i) => [weight.read(), model.weights[i]!.read()] as const);
      expect(pairs.every(([a, b]) => tf.all(tf.equal(a, b)).dataSync()[0] === 1)).toBe(true);
    },
  );

  it('moves every axis to PyTorch’s place', () => {
    const model = small('audio');
    // Each value names its own index.
    for (const weight of model.weights) {
      const shape = weight.shape as number[];
      weight.write(tf.reshape(tf.range(0, tf.util.sizeFromShape(shape)), shape));
    }
    const file = path('small.safetensors');
    exportTorch(model, file);
    const { 'conv1.weight': conv, 'conv2.weight': depthwise } = read(file);
    expect(conv!.shape).toEqual([3, 2, 2, 2]);
    // [out 2, in 1, y 1, x 0] is ours at [y 1, x 0, in 1, out 2] of [2, 2, 2, 3].
    expect(conv!.values[((2 * 2 + 1) * 2 + 1) * 2 + 0]).toBe(((1 * 2 + 0) * 2 + 1) * 3 + 2);
    expect(depthwise!.shape).toEqual([6, 1, 2, 2]);
    // Output 3 is input 1, multiplier 1: ours at [y 1, x 0, 1, 1] of [2, 2, 3, 2].
    expect(depthwise!.values[(3 * 2 + 1) * 2 + 0]).toBe(((1 * 2 + 0) * 3 + 1) * 2 + 1);
  });

  it('names a teacher’s tensors as the reference does, or as asked', () => {
    const teacher = unimodalClassifier(small('audio'), { classes: 2, seed: 0 });
    const file = path('teacher.safetensors');
    exportTorch(teacher, file);
    expect(Object.keys(read(file))).toEqual([
      'classifier.bias',
      'classifier.weight',
      'net.conv1.bias',
      'net.conv1.weight',
      'net.conv2.bias',
      'net.conv2.weight',
    ]);
    exportTorch(teacher, file, { prefix: 'module.net.' });
    expect(Object.keys(read(file))).toEqual(
      expect.arrayContaining(['module.classifier.bias', 'module.net.conv1.bias']),
    );
    exportTorch(small('audio'), file, { prefix: 'audio_net.' });
    expect(Object.keys(read(file))).toContain('audio_net.conv1.bias');
  });

  it('says that the tensors are PyTorch’s', () => {
    const file = path('small.safetensors');
    exportTorch(small('audio'), file);
    expect(readFileSync(file, 'latin1')).toContain('"__metadata__":{"format":"pt"}');
  });

  it('leaves no tensors behind', () => {
    const model = small('audio');
    expectNoLeak(() => exportTorch(model, path('small.safetensors')));
  });

  it('refuses other formats', () => {
    expect(() => exportTorch(small('audio'), path('small.pth'))).toThrow(
      /small\.pth does not end in \.safetensors, the only format that is written/,
    );
  });
});
