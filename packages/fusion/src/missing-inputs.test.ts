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
  text: numbers([BATCH, 6, 5]),
  mask: tf.tensor2d([1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0], [BATCH, 6]),
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
      const { text, mask, image } = inputs();
      const nan = <T extends tf.Tensor>(x: T, row: number): T =>
        broken
          ? (tf.concat([tf.slice(x, 0, row), tf.mul(tf.slice(x, row, 1), NaN), tf.slice(x, row + 1)]) as T)
          : x;
      const batch = {
        inputs: { text: nan(text, 1), image: nan(image, 2) },
        masks: { text: nan(mask, 1) },
        present,
      };
      const { grads } = tf.variableGrads(() => {
        const { logits, unimodalLogits } = model.forward(batch, training);
        const all = [logits, unimodalLogits.text, unimodalLogits.image];
        return tf.addN(all.map((z) => tf.sum(tf.square(z)))) as tf.Scalar;
      }, model.variables as tf.Variable[]);
      const { logits, features } = model.forward(batch, inference);
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
    const { text, mask, image } = inputs();
    const masks = { text: mask };
    const none = { image: tf.zeros<tf.Rank.R1>([BATCH]) };
    const expected = model.forward({ inputs: { text, image }, masks, present: none }, inference);
    const moving = () => model.state().get('image/conv1/bn/moving_mean')!.read().dataSync();
    const before = [...moving()];
    const actual = model.forward({ inputs: { text }, masks, present: none }, training);
    expect([...moving()]).toEqual(before);
    expectTensorClose(actual.logits, expected.logits, { atol: 1e-5 });
    expectTensorClose(actual.unimodalLogits.image, expected.unimodalLogits.image, { atol: 0 });
    expectTensorClose(actual.features.image, tf.zeros([BATCH, 32]), {});
    expectNoLeak(() => ({ ...model.forward({ inputs: { text }, masks, present: none }, training) }));
    // A mask that says otherwise does not bring it back.
    const ones = { image: tf.ones<tf.Rank.R1>([BATCH]) };
    expectTensorClose(
      model.forward({ inputs: { text }, masks, present: ones }, inference).logits,
      expected.logits,
      {
        atol: 1e-5,
      },
    );
  });

  it('encodes zeros of a modality that the whole batch lacks and has no input for, where it counts as zeros', () => {
    const model = build();
    const { text, mask, image } = inputs();
    const none = tf.zeros<tf.Rank.R1>([BATCH]);
    const pass = (batch: Parameters<typeof model.forward>[0]) => {
      const { logits, features } = model.forward(batch, inference);
      return [logits, features.text, features.image];
    };
    const same = (actual: tf.Tensor[], expected: tf.Tensor[]): void =>
      actual.forEach((tensor, i) => expectTensorClose(tensor, expected[i]!, { atol: 0 }));
    const masks = { text: mask };
    same(
      pass({ inputs: { text }, masks, zeroed: { image: none } }),
      pass({ inputs: { text, image: tf.zerosLike(image) }, masks, zeroed: { image: none } }),
    );
    // Of free length it has one step, as in a dataset.
    same(
      pass({ inputs: { image }, zeroed: { text: none } }),
      pass({ inputs: { image, text: tf.zeros([BATCH, 1, 5]) }, masks: { text: tf.ones([BATCH, 1]) } }),
    );
    expectNoLeak(() => ({ ...model.forward({ inputs: { image }, zeroed: { text: none } }, inference) }));
    expect(() => model.forward({ inputs: { image } }, inference)).toThrow(/There is no input for text/);
  });
});

describe('inputs of MultimodalModel', () => {
  beforeAll(async () => {
    await loadTensorFlow({ backend: 'tensorflow', quiet: true });
  });

  it('passes several tensors on to an encoder, in every way to run it', async () => {
    const model = build();
    const { text, mask, image } = inputs();
    const batch = { inputs: { text, image }, masks: { text: mask } };
    const { logits, features } = model.forward(batch, inference);
    const alone = model.encode('text', [text, mask], inference);
    expectTensorClose(alone, features.text, { atol: 0 });
    const everything = model.encode('text', [text, tf.onesLike(mask)], inference);
    expect([...everything.dataSync()]).not.toEqual([...alone.dataSync()]);

    const frozen = model.freeze();
    expectTensorClose(frozen.forward(batch).logits, logits, { atol: 1e-4 });
    const present = { text: tf.tensor1d([1, 0, 1]) };
    const masked = model.forward({ ...batch, present }, inference).logits;
    expectTensorClose(frozen.forward({ ...batch, present }).logits, masked, { atol: 1e-4 });
    expectNoLeak(() => ({ ...frozen.forward({ ...batch, present }) }));
    frozen.dispose();

    const exported = model.toLayersModel();
    expect(exported.inputs).toHaveLength(3);
    const [z] = exported.predict([text, mask, image]) as tf.Tensor[];
    expectTensorClose(z!, logits, { atol: 1e-4 });
  });

  it('gives features of some modalities as constants', () => {
    const model = build();
    const { text, mask, image } = inputs();
    const present = { image: tf.tensor1d([0, 1, 1]) };
    const batch = { inputs: { text, image }, masks: { text: mask }, present };
    const run = (gradients: boolean | { text: boolean; image: boolean }) =>
      tf.variableGrads(
        () => tf.sum(tf.square(model.forward(batch, { ...inference, gradients }).logits)) as tf.Scalar,
        model.variables as tf.Variable[],
      );
    const [all, some] = [run(true), run({ text: true, image: false })];
    expectTensorClose(some.value, all.value, { atol: 0 });
    const [own, others] = [true, false].map((isImage) =>
      model.variables.filter(({ name }) => name.startsWith('image/') === isImage),
    );
    expect(own!.filter(({ name }) => name in some.grads)).toEqual([]);
    for (const { name } of others!) expectTensorClose(some.grads[name]!, all.grads[name]!, { atol: 0 });
    expectNoLeak(() => ({
      ...model.forward(batch, { ...training, gradients: { text: true, image: false } }),
    }));
  });

  it('is given batches of more modalities than it has', () => {
    const model = build();
    const { text, mask, image } = inputs();
    const batch = { inputs: { text, image }, masks: { text: mask } };
    const more = {
      ...batch,
      inputs: { text, image, audio: tf.ones([BATCH, 9]) },
      present: { audio: tf.zeros<tf.Rank.R1>([BATCH]), text: tf.ones<tf.Rank.R1>([BATCH]) },
    };
    const { logits } = model.forward(more, inference);
    expectTensorClose(logits, model.forward(batch, inference).logits, { atol: 1e-6 });
  });

  it('says what does not fit', () => {
    const model = build();
    const { text, mask, image } = inputs();
    const forward =
      (given: object, options: object = {}) =>
      () =>
        model.forward({ inputs: given as never, masks: { text: mask }, ...options }, training);
    expect(forward({ text, image }, { masks: {} })).toThrow(
      /The encoder for text takes a padding mask, but the batch has none/,
    );
    expect(() => model.encode('text', text, inference)).toThrow(
      /The encoder for text takes 2 \(text\/input, text\/mask\), but got 1 tensor\. Give one for each, in this order\./,
    );
    expect(() => model.encode('image', [image, image], inference)).toThrow(
      /encoder for image takes 1 .* got 2 tensors/,
    );
    expect(forward({ text, image }, { masks: { text: image } })).toThrow(
      /^`text\[1\]` has shape \[3, 28, 28, 1\]/,
    );
    expect(forward({ text, image }, { masks: { text: tf.ones([2, 6]) } })).toThrow(
      /^`text\[1\]` has shape \[2, 6\]; expected \[3, 6\], as many samples as `text\[0\]` has\.$/,
    );
    // Forgotten, unless a mask says that it is known.
    expect(forward({ text })).toThrow(/There is no input for image\. .* give `present\.image`, all 0/);
    expect(forward({ text }, { present: { text: tf.ones([3]) } })).toThrow(/no input for image/);
    const none = { text: tf.zeros([3]), image: tf.zeros([3]) };
    expect(forward({}, { present: none })).toThrow(/no input for any of text, image/);
    expect(forward({ text, image }, { present: { image: tf.ones([4]) } })).toThrow(
      /^`present\.image` has shape \[4\]; expected \[3\]/,
    );
    expect(forward({ text, image }, { present: { image: tf.ones([3, 1]) } })).toThrow(
      /^`present\.image` has shape \[3, 1\]; expected \[B\]\.$/,
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
