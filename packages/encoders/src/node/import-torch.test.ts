// Checkpoints that test/torch/make_fixtures.py wrote with PyTorch, and the outputs of PyTorch's modules.
import * as tf from '@tensorflow/tfjs';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTensorFlow } from '@g2d/native';
import { accelerate } from '@g2d/accelerate';
import { G2DError } from '@g2d/core';
import { expectNoLeak, expectTensorClose } from '@g2d/tensor-ops/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unimodalClassifier } from '../unimodal-classifier.js';
import { importTorch } from './import-torch.js';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

const folder = join(import.meta.dirname, '../../test/torch');
const fixture = (name: string): string => join(folder, name);
interface Values {
  readonly shape: number[];
  readonly values: number[];
}
const expected = JSON.parse(readFileSync(fixture('expected.json'), 'utf8')) as Record<
  string,
  Record<string, Values>
>;
const temporary = mkdtempSync(join(tmpdir(), 'g2d-import-torch-'));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

/** The `ImageNet` of make_fixtures.py; with frames, each is normalized with the others, as in our encoders. */
function imageNet(name: string, channels = 2, { blocks = 1, frames = false } = {}): tf.LayersModel {
  const { batchNormalization, conv2d, depthwiseConv2d, globalAveragePooling2d, reLU, reshape } = tf.layers;
  const windowed = (layer: tf.layers.Layer) =>
    frames ? tf.layers.timeDistributed({ layer, name: `${layer.name}/frames` }) : layer;
  const normalized = (x: tf.SymbolicTensor, path: string): tf.SymbolicTensor => {
    const rows = frames ? reshape({ targetShape: [-1, ...(x.shape.slice(3) as number[])] }).apply(x) : x;
    return batchNormalization({ name: `${name}/${path}`, epsilon: 1e-5 }).apply(rows) as tf.SymbolicTensor;
  };
  const input = tf.input({ shape: frames ? [3, 4, 5, channels] : [4, 5, channels] });
  const convolution = conv2d({ name: `${name}/conv1`, filters: 3, kernelSize: [2, 3], useBias: false });
  let x = windowed(convolution).apply(input) as tf.SymbolicTensor;
  x = reLU({ name: `${name}/relu` }).apply(normalized(x, 'bn1')) as tf.SymbolicTensor;
  if (frames) x = reshape({ targetShape: [3, 3, 3, 3] }).apply(x) as tf.SymbolicTensor;
  for (let i = 0; i < 2 * blocks; i += 2) {
    const depthwise = depthwiseConv2d({
      name: `${name}/layer1/${i}`,
      kernelSize: [2, 1],
      depthMultiplier: 2,
      padding: i === 0 ? 'valid' : 'same',
    });
    x = normalized(windowed(depthwise).apply(x) as tf.SymbolicTensor, `layer1/${i + 1}`);
  }
  const features = globalAveragePooling2d({ name: `${name}/pool` }).apply(x) as tf.SymbolicTensor;
  return tf.model({ name, inputs: input, outputs: features });
}

const tensor = ({ shape, values }: Values): tf.Tensor => tf.tensor(values, shape);
const weights = (model: tf.LayersModel): number[][] =>
  model.weights.map((weight) => [...weight.read().dataSync()]);
const forward = (model: tf.LayersModel, x: tf.Tensor): tf.Tensor =>
  [model.apply(x, { training: false })].flat()[0] as tf.Tensor;

function expectForward(model: tf.LayersModel, name: string): void {
  const { input, output } = expected[`${name}:forward`]!;
  expectTensorClose(forward(model, tensor(input!)), tensor(output!), { atol: 1e-5 });
}

/** The error of a refused import; the model must be as before. */
function refusal(file: string, model: tf.LayersModel, prefix?: string): G2DError {
  const before = weights(model);
  let thrown: unknown;
  try {
    importTorch(file, model, prefix === undefined ? {} : { prefix });
  } catch (error) {
    thrown = error;
  }
  expect(G2DError.isInstance(thrown), String(thrown)).toBe(true);
  expect(weights(model)).toEqual(before);
  return thrown as G2DError;
}

describe('importTorch', () => {
  it.each(['image.pth', 'image-legacy.pth', 'image.safetensors'])(
    'makes a model compute what PyTorch computes, from %s',
    (name) => {
      const model = imageNet('audio');
      const { loaded, unused, prefix } = importTorch(fixture(name), model);
      expectForward(model, 'image.pth');
      expect(prefix).toBe('');
      expect(loaded).toHaveLength(11);
      expect([...unused].sort()).toEqual(['bn1.num_batches_tracked', 'layer1.1.num_batches_tracked']);
    },
  );

  it('does so for an accelerated model that has computed before', () => {
    const model = accelerate(imageNet('audio'));
    forward(model, tf.ones([1, 4, 5, 2]));
    importTorch(fixture('image.pth'), model);
    expectForward(model, 'image.pth');
  });

  it('does so for frames: a TimeDistributed layer counts as the one it applies', () => {
    const model = imageNet('video', 2, { frames: true });
    importTorch(fixture('image.pth'), model);
    const { input, output } = expected['image.pth:forward']!;
    const repeated = tf.tile(tf.expandDims(tensor(input!), 1), [1, 3, 1, 1, 1]);
    expectTensorClose(forward(model, repeated), tensor(output!), { atol: 1e-5 });
  });

  it('loads sequence encoders: Conv1D, the joint projection of attention, layer normalization', () => {
    const { conv1d, dense, layerNormalization } = tf.layers;
    const input = tf.input({ shape: [3, 3] });
    const x = conv1d({ name: 'text/conv', filters: 4, kernelSize: 2 }).apply(input);
    const projected = dense({ name: 'text/layers/0/self_attn/in_proj', units: 12 }).apply(x);
    // Only the queries, as in make_fixtures.py.
    const steps = tf.layers.reshape({ targetShape: [2, 12, 1] }).apply(projected);
    const cropping: [[number, number], [number, number]] = [
      [0, 0],
      [0, 8],
    ];
    const queries = tf.layers
      .reshape({ targetShape: [2, 4] })
      .apply(tf.layers.cropping2D({ cropping }).apply(steps));
    const joined = dense({ name: 'text/layers/0/self_attn/out_proj', units: 4 }).apply(queries);
    const output = layerNormalization({ name: 'text/layers/0/norm1', epsilon: 1e-5 }).apply(joined);
    const model = tf.model({ name: 'text', inputs: input, outputs: output as tf.SymbolicTensor });
    const { loaded } = importTorch(fixture('sequence.pth'), model);
    expect(loaded).toContain('layers.0.self_attn.in_proj_weight');
    expectForward(model, 'sequence.pth');
  });

  it('loads the reference’s teachers: the encoder under net., the classifier beside it', () => {
    const teacher = unimodalClassifier(imageNet('audio'), { classes: 2, seed: 0 });
    const { prefix, loaded } = importTorch(fixture('teacher.pth'), teacher);
    expectForward(teacher, 'teacher.pth');
    expect(prefix).toBe('net.');
    expect(loaded).toEqual(
      expect.arrayContaining(['net.conv1.weight', 'classifier.weight', 'classifier.bias']),
    );
  });

  it('loads what DataParallel saved', () => {
    const teacher = unimodalClassifier(imageNet('audio'), { classes: 2, seed: 0 });
    expect(importTorch(fixture('data-parallel.pth'), teacher).prefix).toBe('module.net.');
    expectForward(teacher, 'teacher.pth');
  });

  it('loads an encoder from a teacher, and reports the classifier as unused', () => {
    const { unused } = importTorch(fixture('teacher.pth'), imageNet('audio'));
    expect(unused).toEqual(expect.arrayContaining(['classifier.weight', 'classifier.bias']));
  });

  it('finds the model among the rest of a training’s checkpoint', () => {
    const model = imageNet('audio');
    const { prefix, unused } = importTorch(fixture('training.pth'), model);
    expectForward(model, 'image.pth');
    expect(prefix).toBe('model.');
    expect(unused).toContain('optimizer.state.0.exp_avg');
  });

  it('takes the only encoder of a student that fits the model', () => {
    const student = expected['student.pth']!;
    for (const [channels, prefix] of [
      [1, 'audio_net.'],
      [2, 'visual_net.'],
    ] as const) {
      const model = imageNet('audio', channels);
      const imported = importTorch(fixture('student.pth'), model);
      expect(imported.prefix).toBe(prefix);
      const mean = model.weights.find(({ originalName }) => originalName === 'audio/bn1/moving_mean')!;
      expect([...mean.read().dataSync()]).toEqual(student[`${prefix}bn1.running_mean`]!.values);
    }
  });

  it('asks which, if several fit, and takes the one that is named', () => {
    const model = imageNet('audio');
    const error = refusal(fixture('student-alike.pth'), model);
    expect(error.code).toBe('G2D_OPTION');
    expect(error.message).toMatch(
      /student-alike\.pth has several networks that fit the model "audio", under the prefixes 'audio_net\.', 'visual_net\.'\. Say which: \{ prefix: 'audio_net\.' \}/,
    );
    const prefixes = ['audio_net.', 'visual_net.'].map((prefix) => {
      const imported = importTorch(fixture('student-alike.pth'), model, { prefix });
      expect(imported.loaded.every((name) => name.startsWith(prefix))).toBe(true);
      return weights(model);
    });
    expect(prefixes[0]).not.toEqual(prefixes[1]);
  });

  it('leaves no tensors behind', () => {
    const model = imageNet('audio');
    expectNoLeak(() => void importTorch(fixture('image.pth'), model));
  });

  it('sets a second model with the same layer names, whose variables TensorFlow.js renames', () => {
    const [first, second] = [imageNet('audio'), imageNet('audio')];
    expect(second!.weights[0]!.name).not.toBe(first!.weights[0]!.name);
    const before = weights(first!);
    importTorch(fixture('image.pth'), second!);
    expectForward(second!, 'image.pth');
    expect(weights(first!)).toEqual(before);
  });

  it('refuses another shape with the names of file and variable and both shapes', () => {
    const error = refusal(fixture('image.pth'), imageNet('audio', 3));
    expect(error.code).toBe('G2D_SHAPE');
    expect(error.message).toMatch(
      /`conv1\.weight of .*image\.pth` has shape \[3, 2, 2, 3\]; expected \[3, 3, 2, 3\] for the variable audio\/conv1\/kernel \[2, 3, 3, 3\]: the checkpoint is of another architecture/,
    );
  });

  it('refuses a student of which nothing fits, and says why for each encoder', () => {
    const { message } = refusal(fixture('student.pth'), imageNet('audio', 3));
    expect(message).toMatch(/none fits: .*`audio_net\.conv1\.weight of .*`visual_net\.conv1\.weight of /);
  });

  it('refuses a checkpoint that lacks a tensor', () => {
    const error = refusal(fixture('image.pth'), imageNet('audio', 2, { blocks: 2 }));
    expect(error.message).toMatch(
      /image\.pth has no tensor 'layer1\.2\.weight' for the variable audio\/layer1\/2\/depthwise_kernel \(6 of 17 are missing\).*It has 'conv1\.weight'/,
    );
  });

  it('refuses a checkpoint with nothing of the model', () => {
    expect(refusal(fixture('types.safetensors'), imageNet('audio')).message).toMatch(
      /\(11 of 11 are missing\): .*It has .* and 6 more/,
    );
    expect(refusal(fixture('image.pth'), imageNet('audio'), 'net.').message).toMatch(
      /has no tensor 'net\.conv1\.weight'/,
    );
  });

  it('refuses a larger network, although it has everything', () => {
    expect(refusal(fixture('larger.pth'), imageNet('audio')).message).toMatch(
      /larger\.pth has a tensor 'layer1\.2\.weight', for which the model "audio" has no variable/,
    );
  });

  it('refuses another number of classes', () => {
    const teacher = unimodalClassifier(imageNet('audio'), { classes: 5, seed: 0 });
    expect(refusal(fixture('teacher.pth'), teacher).message).toMatch(
      /`classifier\.weight of .*` has shape \[2, 6\]; expected \[5, 6\]/,
    );
    expect(refusal(fixture('image.pth'), teacher).message).toMatch(/has no tensor 'classifier\.weight'/);
  });

  it('says in one sentence that a file is truncated, damaged, missing or a folder', () => {
    const file = join(temporary, 'cut.pth');
    const bytes = readFileSync(fixture('image.pth'));
    writeFileSync(file, bytes.subarray(0, bytes.length / 2));
    const model = imageNet('audio');
    expect(refusal(file, model).message).toMatch(/cut\.pth: truncated: /);
    expect(refusal(join(temporary, 'none.pth'), model).message).toMatch(/none\.pth cannot be read \(ENOENT/);
    expect(refusal(temporary, model).message).toMatch(/cannot be read \(EISDIR/);
    // Damage that shows only when the last tensor is read: still nothing is set.
    const last = Buffer.from(new Float32Array(expected['image.pth']!['layer1.1.running_var']!.values).buffer);
    const at = bytes.indexOf(last);
    expect(at).toBeGreaterThan(0);
    bytes[at] = (bytes[at] as number) ^ 1;
    writeFileSync(file, bytes);
    expect(refusal(file, model).message).toMatch(/cut\.pth: damaged: the checksum/);
  });

  it('refuses models that have no counterpart', () => {
    const { gru, dense, flatten } = tf.layers;
    const file = fixture('image.pth');
    const recurrent = tf.sequential({ layers: [gru({ inputShape: [2, 2], units: 1 })] });
    expect(refusal(file, recurrent).message).toMatch(/no rule for ".*kernel" of a GRU layer.*Conv2D, /);
    const empty = tf.sequential({ name: 'empty', layers: [flatten({ inputShape: [2, 2] })] });
    expect(refusal(file, empty).message).toMatch(/"empty" has no weights/);
    const alike = tf.sequential({
      layers: [dense({ name: 'a/b', inputShape: [2], units: 2 }), dense({ name: 'a.b', units: 2 })],
    });
    expect(refusal(file, alike).message).toMatch(/Two layers .* are "a\.b\.weight" in PyTorch/);
  });

  describe('with weights for more channels than the model has', () => {
    /** A checkpoint of the network for two channels, as PyTorch computes it. */
    const file = fixture('image.pth');
    const outputs = (model: tf.LayersModel, x: tf.Tensor): Float32Array =>
      forward(model, x).dataSync() as Float32Array;
    const grey = tf.randomNormal([2, 4, 5, 1], 0, 1, 'float32', 1) as tf.Tensor4D;

    it.each([
      ['sum', 1],
      ['mean', 0.5],
    ] as const)(
      'takes their %s: what the other computes from the picture in every channel',
      (channels, scale) => {
        const [one, two] = [imageNet('one', 1), imageNet('two')];
        const { loaded } = importTorch(file, one, { channels });
        importTorch(file, two);
        const x = tf.mul(grey, scale) as tf.Tensor4D;
        expect(loaded).toContain('conv1.weight');
        expect([...outputs(one, grey)]).toEqual(
          [...outputs(two, tf.concat([x, x], 3))].map((value) => expect.closeTo(value, 5) as number),
        );
      },
    );

    it('says how, unless it is told', () => {
      const { message, code } = refusal(file, imageNet('one', 1));
      expect(code).toBe('G2D_SHAPE');
      expect(message).toMatch(
        /the checkpoint is for 2 channels\. Their kernels can be added \(\{ channels: 'sum' \}\)/,
      );
    });

    it('is another architecture where more than the channels differ', () => {
      expect(() => importTorch(file, imageNet('three', 3), { channels: 'sum' })).toThrow(
        /another architecture/,
      );
      expect(() => importTorch(file, imageNet('one', 1), { channels: 'max' as 'sum' })).toThrow(
        /`channels` is "max"; it must be 'sum' or 'mean'/,
      );
    });
  });

  it('names the key of a configuration where that is where a user can say it', () => {
    const option = 'encoders.a.weights';
    expect(() => importTorch(fixture('student-alike.pth'), imageNet('a'), { option })).toThrow(
      /Say which: "encoders\.a\.weights": \{"path":"\S*student-alike\.pth","prefix":"audio_net\."\}/,
    );
    expect(() => importTorch(fixture('student-alike.pth'), imageNet('a'))).toThrow(
      /Say which: \{ prefix: 'audio_net\.' \}/,
    );
  });

  it('minds a tensor that cannot be read only where the model needs it', () => {
    const header = JSON.stringify({
      'table.fc.weight': { dtype: 'F32', shape: [1, 2], data_offsets: [0, 8] },
      'text.fc.weight': { dtype: 'F6_E2M3', shape: [1, 4], data_offsets: [8, 11] },
    });
    const bytes = Buffer.alloc(8 + header.length + 11);
    bytes.writeBigUInt64LE(BigInt(header.length));
    bytes.write(header, 8);
    bytes.writeFloatLE(1.5, 8 + header.length);
    const file = join(temporary, 'neighbour.safetensors');
    writeFileSync(file, bytes);
    const model = tf.sequential({ name: 'o' });
    model.add(tf.layers.dense({ name: 'o/fc', units: 1, inputShape: [2], useBias: false }));
    expect(importTorch(file, model)).toMatchObject({ prefix: 'table.', unused: ['text.fc.weight'] });
    expect(weights(model)).toEqual([[1.5, 0]]);
    const { code, message } = refusal(file, model, 'text.');
    expect(code).toBe('G2D_FILE_FORMAT');
    expect(message).toMatch(/tensor 'text\.fc\.weight' has elements of type "F6_E2M3"; read are BOOL/);
  });
});
