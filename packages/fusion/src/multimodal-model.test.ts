import * as tf from '@tensorflow/tfjs';
import { smallAudioEncoder, smallImageEncoder } from '@g2d/encoders';
import { expectNoLeak, expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { lateFusion } from './late-fusion.js';
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

describe('lateFusion', () => {
  it('averages the modalities’ own logits', () => {
    const fusion = lateFusion({ widths: { a: 1, b: 1 }, classes: 2, seed: 0 });
    const [a, b] = fusion.layers.map(({ layer }) => layer);
    a!.setWeights([tf.tensor2d([[1, 2]]), tf.tensor1d([0.5, 0])]);
    b!.setWeights([tf.tensor2d([[3, -1]]), tf.tensor1d([0, 0])]);
    const features = { a: tf.tensor2d([[2]]), b: tf.tensor2d([[1]]) };
    const { a: ua, b: ub } = fusion.unimodalLogits(features);
    expectTensorClose(ua, [2.5, 4], { atol: 1e-6 });
    expectTensorClose(ub, [3, -1], { atol: 1e-6 });
    expectTensorClose(fusion.fuse(features), [2.75, 1.5], { atol: 1e-6 });
  });

  it('needs a modality', () => {
    expect(() => lateFusion({ widths: {}, classes: 2, seed: 0 })).toThrow(/names no modality/);
  });
});

describe('MultimodalModel', () => {
  it('gives features, unimodal logits and their fusion, and leaves nothing behind', () => {
    const model = student();
    const x = inputs();
    const { features, logits, unimodalLogits } = model.forward(x, { training: false });
    expect([features.audio.shape, features.image.shape, logits.shape]).toEqual([
      [3, 64],
      [3, 32],
      [3, 10],
    ]);
    expectTensorClose(logits, tf.div(tf.add(unimodalLogits.audio, unimodalLogits.image), 2), { atol: 1e-5 });
    expectNoLeak(() => model.forward(x, { training: false }) as unknown as object);
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
    const expected = model.forward(x, { training: false });
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
      { image: tf.ones([2, 28, 28, 1]) },
      { training: false },
    );
    expectTensorClose(logits, unimodalLogits.image, { atol: 0 });
    expect(teacher.toLayersModel().outputs).toHaveLength(1);
  });

  it('says which modalities do not fit', () => {
    const image = smallImageEncoder({ name: 'image', inputShape: [28, 28, 1], seed: 0 });
    const fusion = lateFusion({ widths: { audio: 64, image: 32 }, classes: 10, seed: 0 });
    expect(() => new MultimodalModel({ encoders: { image } as never, fusion })).toThrow(
      /encoders are for image but the fusion for audio, image/,
    );
    expect(() => student().forward({ audio: tf.ones([1, 56, 56, 1]) } as never, { training: false })).toThrow(
      /no input for image/,
    );
    const same = () => smallImageEncoder({ name: 'enc', inputShape: [28, 28, 1], seed: 0 });
    const two = lateFusion({ widths: { left: 32, right: 32 }, classes: 2, seed: 0 });
    expect(() => new MultimodalModel({ encoders: { left: same(), right: same() }, fusion: two })).toThrow(
      /Two layers have a variable "enc\/conv1\/kernel"/,
    );
    expect(() => student().encode('vidoe' as never, tf.ones([1]), { training: false })).toThrow(
      /no modality "vidoe"/,
    );
  });
});
