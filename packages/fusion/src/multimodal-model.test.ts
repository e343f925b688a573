import * as tf from '@tensorflow/tfjs';
import { smallAudioEncoder, smallImageEncoder } from '@g2d/encoders';
import { expectNoLeak, expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { lateFusion } from './late-fusion.js';
import { modalityInScope } from './modality-in-scope.js';
import { MultimodalModel } from './multimodal-model.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const student = (seed = 0) =>
  new MultimodalModel({
    encoders: {
      audio: smallAudioEncoder({ name: 'audio', inputShape: [56, 56, 1], seed }),
      image: smallImageEncoder({ name: 'image', inputShape: [28, 28, 1], seed }),
    },
    fusion: lateFusion({ widths: { audio: 64, image: 32 }, classes: 10, seed }),
  });
const inputs = () => ({ audio: tf.randomUniform([3, 56, 56, 1]), image: tf.randomUniform([3, 28, 28, 1]) });

describe('MultimodalModel', () => {
  it('gives features, unimodal logits and their fusion, and leaves nothing behind', () => {
    const model = student();
    const x = inputs();
    const { features, logits, unimodalLogits } = model.forward({ inputs: x }, { training: false });
    expect([features.audio.shape, features.image.shape, logits.shape]).toEqual([
      [3, 64],
      [3, 32],
      [3, 10],
    ]);
    expectTensorClose(logits, tf.div(tf.add(unimodalLogits.audio, unimodalLogits.image), 2), { atol: 1e-5 });
    expectNoLeak(() => model.forward({ inputs: x }, { training: false }) as unknown as object);
  });

  it('lists every trainable variable once: audio, image, heads', () => {
    const names = student().variables.map(({ name }) => name);
    expect(names).toHaveLength(4 * 3 + 3 * 3 + 2 * 2);
    expect(new Set(names).size).toBe(names.length);
    const order = names.map((name) => (name.startsWith('audio/') ? 0 : name.startsWith('image/') ? 1 : 2));
    expect(order).toEqual([...order].sort());
  });

  it('groups variables by modality and by the layer that made them', () => {
    const groups = [...student().groups().values()];
    const count = (modality: string, role: string) =>
      groups.filter((group) => group.modality === modality && group.role === role).length;
    expect([count('audio', 'conv'), count('audio', 'norm'), count('audio', 'head')]).toEqual([4, 8, 2]);
    expect([count('image', 'conv'), count('image', 'norm'), count('image', 'head')]).toEqual([3, 6, 2]);
    expect(groups).toHaveLength(25);
  });

  it('keeps the names of its state when TensorFlow.js renames a second model’s variables', () => {
    const [first, second] = [student(), student()];
    expect([...first.state().keys()]).toEqual([...second.state().keys()]);
    expect(first.state().has('audio/conv1/bn/moving_variance')).toBe(true);
    expect(first.variables[0]!.name).not.toBe(second.variables[0]!.name);
    const stable = ({ parameters }: typeof first) => parameters.map(({ name }) => name);
    expect(stable(second)).toEqual(stable(first));
    expect(stable(first).every((name) => first.state().has(name))).toBe(true);
    expect(first.parameters.map(({ variable }) => variable)).toEqual(first.variables);
  });

  it('exports a LayersModel that gives the same logits and loads in plain TensorFlow.js', async () => {
    const model = student(5);
    const exported = model.toLayersModel();
    let saved: tf.io.ModelArtifacts | undefined;
    await exported.save(
      tf.io.withSaveHandler(async (artifacts) => {
        saved = artifacts;
        return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
      }),
    );
    const loaded = await tf.loadLayersModel(tf.io.fromMemory(saved!));
    const x = inputs();
    const [z, audio, image] = loaded.predict([x.audio, x.image]) as tf.Tensor[];
    const expected = model.forward({ inputs: x }, { training: false });
    expectTensorClose(z!, expected.logits, { atol: 1e-5 });
    expectTensorClose(audio!, expected.unimodalLogits.audio, { atol: 1e-5 });
    expectTensorClose(image!, expected.unimodalLogits.image, { atol: 1e-5 });
  });

  it('is a teacher with one modality', () => {
    const teacher = new MultimodalModel({
      encoders: { image: smallImageEncoder({ name: 'image', inputShape: [28, 28, 1], seed: 0 }) },
      fusion: lateFusion({ widths: { image: 32 }, classes: 10, seed: 0 }),
    });
    const { logits, unimodalLogits } = teacher.forward(
      { inputs: { image: tf.ones([2, 28, 28, 1]) } },
      { training: false },
    );
    expectTensorClose(logits, unimodalLogits.image, { atol: 0 });
    expect(teacher.toLayersModel().outputs).toHaveLength(1);
  });

  it('unwraps layers that are applied to frames, and takes depthwise kernels for convolutions', () => {
    const frames = tf.input({ shape: [null, 8, 8, 3] });
    const perFrame = (layer: tf.layers.Layer) => tf.layers.timeDistributed({ layer });
    const { conv2d, depthwiseConv2d, separableConv2d, layerNormalization, dense } = tf.layers;
    let x = perFrame(conv2d({ name: 'v/conv', filters: 2, kernelSize: 3 })).apply(frames);
    x = perFrame(depthwiseConv2d({ name: 'v/depthwise', kernelSize: 3 })).apply(x);
    x = perFrame(separableConv2d({ name: 'v/separable', filters: 2, kernelSize: 3 })).apply(x);
    x = perFrame(layerNormalization({ name: 'v/norm' })).apply(x);
    x = tf.layers.reshape({ targetShape: [-1, 2] }).apply(x);
    const inner = tf.sequential({ layers: [dense({ name: 'v/dense', units: 4, inputShape: [2] })] });
    const features = inner.apply(tf.layers.globalAveragePooling1d({}).apply(x)) as tf.SymbolicTensor;
    const model = new MultimodalModel({
      encoders: { v: tf.model({ inputs: frames, outputs: features }) },
      fusion: lateFusion({ widths: { v: 4 }, classes: 2, seed: 0 }),
    });
    const roles = [...model.groups().values()].map(({ role }) => role);
    const kernelAndBias = ['conv', 'encoder'];
    expect(roles).toEqual([
      ...kernelAndBias,
      ...kernelAndBias,
      'conv', // separable: depthwise and pointwise
      ...kernelAndBias,
      'norm',
      'norm',
      'encoder',
      'encoder',
      'head',
      'head',
    ]);
    expect(model.state().size).toBe(roles.length);
  });

  it('says which modalities do not fit', () => {
    const image = smallImageEncoder({ name: 'image', inputShape: [28, 28, 1], seed: 0 });
    const fusion = lateFusion({ widths: { audio: 64, image: 32 }, classes: 10, seed: 0 });
    expect(() => new MultimodalModel({ encoders: { image } as never, fusion })).toThrow(
      /encoders are for image but the fusion for audio, image/,
    );
    expect(() =>
      student().forward({ inputs: { audio: tf.ones([1, 56, 56, 1]) } } as never, { training: false }),
    ).toThrow(/no input for image/);
    const same = () => smallImageEncoder({ name: 'enc', inputShape: [28, 28, 1], seed: 0 });
    const two = lateFusion({ widths: { left: 32, right: 32 }, classes: 2, seed: 0 });
    expect(() => new MultimodalModel({ encoders: { left: same(), right: same() }, fusion: two })).toThrow(
      /Two layers have a variable "enc\/conv1\/kernel"/,
    );
    expect(() => student().encode('vidoe' as never, tf.ones([1]), { training: false })).toThrow(
      /no modality "vidoe"/,
    );
  });

  it('refuses inputs of another shape before an encoder runs', () => {
    const model = student();
    const { audio, image } = inputs();
    const moving = () => model.state().get('audio/conv1/bn/moving_mean')!.read().dataSync();
    const untouched = moving();
    const forward = (changed: object) => () =>
      model.forward({ inputs: { audio, image, ...changed } }, { training: true });
    expect(forward({ image: tf.ones([3, 28, 28, 3]) })).toThrow(
      /^`image` has shape \[3, 28, 28, 3\]; expected \[B, 28, 28, 1\]\.$/,
    );
    expect(forward({ image: tf.ones([28, 28, 1]) })).toThrow(/`image` has shape \[28, 28, 1\]/);
    expect(forward({ image: tf.ones([4, 28, 28, 1]) })).toThrow(
      /^`image` has shape \[4, 28, 28, 1\]; expected \[3, 28, 28, 1\], as many samples as `audio` has\.$/,
    );
    expect(() => model.encode('audio', image, { training: true })).toThrow(/`audio` has shape/);
    expect(moving()).toEqual(untouched);
  });

  it('refuses encoders whose features do not fit the fusion', () => {
    const image = smallImageEncoder({ name: 'image', inputShape: [28, 28, 1], seed: 0 });
    const fusion = lateFusion({ widths: { image: 64 }, classes: 10, seed: 0 });
    expect(() => new MultimodalModel({ encoders: { image }, fusion })).toThrow(
      /encoder for image gives \[B, 32\], but the fusion needs features \[B, 64\] and nothing else/,
    );
  });
});

describe('modalityInScope', () => {
  const named = (scope: 'conv' | 'encoder' | 'encoder+head') => {
    const model = student();
    const modalityOf = modalityInScope(model, scope);
    const [audio, image, none] = (['audio', 'image', undefined] as const).map(
      (modality) => model.variables.filter(({ name }) => modalityOf(name) === modality).length,
    );
    return [audio, image, none];
  };

  it('widens from convolutions to encoders and heads', () => {
    expect(named('conv')).toEqual([4, 3, 18]);
    expect(named('encoder')).toEqual([12, 9, 4]);
    expect(named('encoder+head')).toEqual([14, 11, 0]);
  });

  it('refuses an unknown scope, and one that leaves a modality out', () => {
    expect(() => modalityInScope(student(), 'convolutions' as never)).toThrow(
      /There is no scope "convolutions"\. Use one of conv, encoder, encoder\+head\./,
    );
    const inputs = tf.input({ shape: [2] });
    const outputs = tf.layers.dense({ name: 'x/dense', units: 2 }).apply(inputs) as tf.SymbolicTensor;
    const model = new MultimodalModel({
      encoders: { x: tf.model({ inputs, outputs }) },
      fusion: lateFusion({ widths: { x: 2 }, classes: 2, seed: 0 }),
    });
    expect(() => modalityInScope(model, 'conv')).toThrow(/scope "conv" contains no variable of x/);
  });
});
