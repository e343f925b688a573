// Models whose encoders are real ones: several inputs, samples and whole batches that lack a modality.
import * as tf from '@tensorflow/tfjs';
import { smallImageEncoder, transformer } from '@g2d/encoders';
import { loadTensorFlow } from '@g2d/native';
import { expectNoLeak, expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { crossAttentionFusion } from './cross-attention-fusion.js';
import { MultimodalModel } from './multimodal-model.js';
import { sumFusion } from './sum-fusion.js';

const BATCH = 3;
const build = () => {
  const widths = { text: 8, image: 32 };
  const sizes = { layers: 1, heads: 2, width: 8, feedForward: 12, dropout: 0 };
  return new MultimodalModel({
    encoders: {
      text: transformer({ name: 'text', inputShape: [null, 5], seed: 1, paddingMask: true, ...sizes }),
      image: smallImageEncoder({ name: 'image', inputShape: [28, 28, 1], seed: 1 }),
    },
    fusion: crossAttentionFusion({ widths, classes: 4, seed: 1, hidden: 8, heads: 2 }),
  });
};
const numbers = (shape: number[]) =>
  tf.tensor(
    Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => Math.sin(i * i)),
    shape,
  );
const inputs = () => ({
  text: [
    numbers([BATCH, 6, 5]),
    tf.tensor2d([1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0], [BATCH, 6]),
  ],
  image: numbers([BATCH, 28, 28, 1]),
});
const training = { training: true } as const;
const inference = { training: false } as const;

describe.each(['tensorflow', 'wasm', 'cpu'] as const)('missing modalities on %s', (backend) => {
  beforeAll(async () => {
    await loadTensorFlow({ backend, quiet: true });
  });

  it('reads nothing of absent samples: outputs, running statistics and gradients', () => {
    const present = { text: tf.tensor1d([1, 0, 1]), image: tf.tensor1d([1, 1, 0]) };
    const run = (broken: boolean) => {
      const model = build();
      const { text, image } = inputs();
      const [sequence, mask] = text as [tf.Tensor, tf.Tensor];
      const nan = (x: tf.Tensor, row: number) =>
        broken ? tf.concat([tf.slice(x, 0, row), tf.mul(tf.slice(x, row, 1), NaN), tf.slice(x, row + 1)]) : x;
      const given = { text: [nan(sequence, 1), nan(mask, 1)], image: nan(image, 2) };
      const { grads } = tf.variableGrads(() => {
        const { logits, unimodalLogits } = model.forward(given, training, { present });
        const all = [logits, unimodalLogits.text, unimodalLogits.image];
        return tf.addN(all.map((z) => tf.sum(tf.square(z)))) as tf.Scalar;
      }, model.variables as tf.Variable[]);
      const { logits, features } = model.forward(given, inference, { present });
      const state = [...model.state().values()].map((weight) => weight.read());
      return [logits, features.text, features.image, ...state, ...Object.values(grads)];
    };
    const [actual, expected] = [run(true), run(false)];
    expect(actual).toHaveLength(expected.length);
    actual.forEach((tensor, i) => expectTensorClose(tensor, expected[i]!, { atol: 0 }));
    expectTensorClose(tf.slice(actual[2]!, 2), tf.zeros([1, 32]), {});
  });

  it('needs no input of a modality that the whole batch lacks, and does not run its encoder', () => {
    const model = build();
    const { text, image } = inputs();
    const none = { image: tf.zeros<tf.Rank.R1>([BATCH]) };
    const expected = model.forward({ text, image }, inference, { present: none });
    const moving = () => model.state().get('image/conv1/bn/moving_mean')!.read().dataSync();
    const before = [...moving()];
    const actual = model.forward({ text }, training, { present: none });
    expect([...moving()]).toEqual(before);
    expectTensorClose(actual.logits, expected.logits, { atol: 1e-5 });
    expectTensorClose(actual.unimodalLogits.image, expected.unimodalLogits.image, { atol: 0 });
    expectTensorClose(actual.features.image, tf.zeros([BATCH, 32]), {});
    expectNoLeak(() => ({ ...model.forward({ text }, training, { present: none }) }));
    // A mask that says otherwise does not bring it back.
    const ones = { image: tf.ones<tf.Rank.R1>([BATCH]) };
    expectTensorClose(model.forward({ text }, inference, { present: ones }).logits, expected.logits, {
      atol: 1e-5,
    });
  });
});

describe('inputs of MultimodalModel', () => {
  beforeAll(async () => {
    await loadTensorFlow({ backend: 'tensorflow', quiet: true });
  });

  it('passes several tensors on to an encoder, in every way to run it', async () => {
    const model = build();
    const { text, image } = inputs();
    const { logits, features } = model.forward({ text, image }, inference);
    const alone = model.encode('text', text, inference);
    expectTensorClose(alone, features.text, { atol: 0 });
    const [sequence, mask] = text as [tf.Tensor, tf.Tensor];
    const everything = model.encode('text', [sequence, tf.onesLike(mask)], inference);
    expect([...everything.dataSync()]).not.toEqual([...alone.dataSync()]);

    const frozen = model.freeze();
    expectTensorClose(frozen.forward({ text, image }).logits, logits, { atol: 1e-4 });
    const present = { text: tf.tensor1d([1, 0, 1]) };
    const masked = model.forward({ text, image }, inference, { present }).logits;
    expectTensorClose(frozen.forward({ text, image }, { present }).logits, masked, { atol: 1e-4 });
    expectNoLeak(() => ({ ...frozen.forward({ text, image }, { present }) }));
    frozen.dispose();

    const exported = model.toLayersModel();
    expect(exported.inputs).toHaveLength(3);
    const [z] = exported.predict([sequence, mask, image]) as tf.Tensor[];
    expectTensorClose(z!, logits, { atol: 1e-4 });
  });

  it('takes features that are ready, and does not look at their input', () => {
    const model = build();
    const { text, image } = inputs();
    const expected = model.forward({ text, image }, inference);
    const ready = { image: model.encode('image', image, inference) };
    const { logits, features } = model.forward({ text }, inference, { ready });
    expectTensorClose(logits, expected.logits, { atol: 0 });
    // Handles of their own: disposing the outputs leaves the caller's.
    tf.dispose(features as unknown as tf.TensorContainer);
    expect(ready.image.isDisposed).toBe(false);
    const present = { image: tf.tensor1d([0, 1, 1]) };
    const masked = model.forward({ text }, inference, { ready, present });
    expectTensorClose(masked.logits, model.forward({ text, image }, inference, { present }).logits, {
      atol: 1e-5,
    });
  });

  it('is given batches of more modalities than it has', () => {
    const model = build();
    const batch = { ...inputs(), audio: tf.ones([BATCH, 9]) };
    const present = { audio: tf.zeros<tf.Rank.R1>([BATCH]), text: tf.ones<tf.Rank.R1>([BATCH]) };
    const { logits } = model.forward(batch, inference, { present });
    expectTensorClose(logits, model.forward(inputs(), inference).logits, { atol: 1e-6 });
  });

  it('says what does not fit', () => {
    const model = build();
    const { text, image } = inputs();
    const forward =
      (given: object, options: object = {}) =>
      () =>
        model.forward(given as never, training, options);
    expect(forward({ text: text[0], image })).toThrow(
      /The encoder for text takes 2 \(text\/input, text\/mask\), but got 1 tensor\. Give one for each, in this order\./,
    );
    expect(forward({ text, image: [image, image] })).toThrow(/encoder for image takes 1 .* got 2 tensors/);
    expect(forward({ text: [text[0], image], image })).toThrow(/^`text\[1\]` has shape \[3, 28, 28, 1\]/);
    expect(forward({ text: [text[0], tf.ones([2, 6])], image })).toThrow(
      /^`text\[1\]` has shape \[2, 6\]; expected \[3, 6\], as many samples as `text\[0\]` has\.$/,
    );
    // Forgotten, unless a mask says that it is known.
    expect(forward({ text })).toThrow(/There is no input for image\. .* give `present\.image`, all 0/);
    expect(forward({ text }, { present: { text: tf.ones([3]) } })).toThrow(/no input for image/);
    // @ts-expect-error It does not compile either.
    expect(() => model.forward({ text }, training)).toThrow(/no input for image/);
    const none = { text: tf.zeros([3]), image: tf.zeros([3]) };
    expect(forward({}, { present: none })).toThrow(/no input for any of text, image/);
    expect(forward({ text, image }, { present: { image: tf.ones([4]) } })).toThrow(
      /^`present\.image` has shape \[4\]; expected \[3\]/,
    );
    expect(forward({ text, image }, { present: { image: tf.ones([3, 1]) } })).toThrow(
      /^`present\.image` has shape \[3, 1\]; expected \[B\]\.$/,
    );
    expect(forward({ text }, { ready: { image: tf.ones([3, 31]) } })).toThrow(
      /^`ready\.image` has shape \[3, 31\]; expected \[B, 32\]\.$/,
    );
    expect(forward({ text }, { ready: { image: tf.ones([2, 32]) } })).toThrow(
      /`ready\.image` has shape \[2, 32\]/,
    );
    expect(() => model.encode('image', image, training, tf.ones([2]))).toThrow(
      /`present\.image` has shape \[2\]/,
    );
  });

  it('refuses encoders that give more than features', () => {
    const input = tf.input({ shape: [2] });
    const outputs = [1, 2].map((i) => tf.layers.dense({ name: `x/${i}`, units: 2 }).apply(input));
    const two = tf.model({ inputs: input, outputs: outputs as tf.SymbolicTensor[] });
    const fusion = sumFusion({ widths: { x: 2 }, classes: 2, seed: 0 });
    expect(() => new MultimodalModel({ encoders: { x: two }, fusion })).toThrow(
      /encoder for x gives \[B, 2\] and \[B, 2\], but the fusion needs features \[B, 2\] and nothing else/,
    );
  });
});
