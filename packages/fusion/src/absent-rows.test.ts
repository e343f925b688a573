// Encoders that run on the present samples alone, and batches too small for batch normalization.
import { smallImageEncoder, tabularMlp, transformer } from '@g2d/encoders';
import { loadTensorFlow } from '@g2d/native';
import { expectNoLeak, expectTensorClose } from '@g2d/tensor-ops/testing';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { lateFusion } from './late-fusion.js';
import { minRows } from './min-rows.js';
import { MultimodalModel } from './multimodal-model.js';

const { layers } = tf;
const numbers = (...shape: number[]) =>
  tf.tensor(
    Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => Math.sin(i * i + shape.length)),
    shape,
  );

/** A table of four columns and an image, both with batch normalization. */
function build(absentRows?: 'zeros' | 'skip') {
  const rows = tf.input({ shape: [4] });
  let x = layers.dense({ name: 'table/dense', units: 3 }).apply(rows);
  x = layers.batchNormalization({ name: 'table/bn' }).apply(x);
  const table = tf.model({ name: 'table', inputs: rows, outputs: x as tf.SymbolicTensor });
  table.weights[0]!.write(numbers(4, 3));
  const image = smallImageEncoder({ name: 'image', inputShape: [8, 8, 1], seed: 1 });
  const fusion = lateFusion({ widths: { table: 3, image: 32 }, classes: 3, seed: 1 });
  return new MultimodalModel({ encoders: { table, image }, fusion, ...(absentRows && { absentRows }) });
}
const training = { training: true } as const;
const statistics = (model: ReturnType<typeof build>) =>
  [...model.state()].filter(([name]) => /moving/.test(name)).map(([, weight]) => weight.read());

describe.each(['tensorflow', 'wasm', 'cpu'] as const)("absentRows: 'skip' on %s", (backend) => {
  beforeAll(async () => {
    await loadTensorFlow({ backend, quiet: true });
  });
  const batch = () => ({
    inputs: { table: numbers(5, 4) as tf.Tensor, image: numbers(5, 8, 8, 1) as tf.Tensor },
    present: { table: tf.tensor1d([1, 0, 1, 1, 0]), image: tf.tensor1d([0, 1, 1, 0, 0]) },
  });
  const rowsOf = (x: tf.Tensor, rows: number[]) => tf.gather(x, tf.tensor1d(rows, 'int32'));

  it('is a pass over the present rows alone: features, running statistics, gradients of every weight', () => {
    const [masked, alone] = [build('skip'), build('skip')];
    const { inputs, present } = batch();
    const rows = { table: [0, 2, 3], image: [1, 2] } as const;
    for (const modality of ['table', 'image'] as const) {
      const weigh = numbers(5, modality === 'table' ? 3 : 32);
      const run = (model: typeof masked, x: tf.Tensor, factors: tf.Tensor, mask?: tf.Tensor1D) => {
        let features: tf.Tensor | undefined;
        const { grads } = tf.variableGrads(
          () => {
            features = tf.keep(model.encode(modality, x, training, mask));
            return tf.sum(tf.mul(features, factors)) as tf.Scalar;
          },
          model.parameters
            .filter((one) => one.modality === modality && one.role !== 'head')
            .map(({ variable }) => variable),
        );
        return [features!, ...Object.values(grads)];
      };
      const chosen: number[] = [...rows[modality]];
      const [actual, ...grads] = run(masked, inputs[modality], weigh, present[modality]);
      const [wanted, ...wantedGrads] = run(alone, rowsOf(inputs[modality], chosen), rowsOf(weigh, chosen));
      expectTensorClose(rowsOf(actual!, chosen), wanted!, { atol: 0 });
      const others = [0, 1, 2, 3, 4].filter((row) => !chosen.includes(row));
      expectTensorClose(rowsOf(actual!, others), tf.zeros([others.length, actual!.shape[1]!]), { atol: 0 });
      grads.forEach((gradient, i) => expectTensorClose(gradient, wantedGrads[i]!, { atol: 0 }));
    }
    statistics(masked).forEach((tensor, i) => expectTensorClose(tensor, statistics(alone)[i]!, { atol: 0 }));
  });

  it('gives absent rows of an input the gradient 0, whatever stands in them', () => {
    const model = build('skip');
    const { inputs, present } = batch();
    const table = tf.where(tf.reshape(tf.equal(present.table, 1), [5, 1]), inputs.table, NaN);
    const gradient = tf.grad((x) =>
      tf.sum(tf.square(model.encode('table', x, { training: false }, present.table))),
    )(table);
    const values = gradient.arraySync() as number[][];
    values.forEach((row, i) =>
      expect(
        row.every((value) => (i === 1 || i === 4 ? value === 0 : Number.isFinite(value) && value !== 0)),
      ).toBe(true),
    );
  });

  it('differs from zeros in training only, and leaves nothing behind', () => {
    const [skip, zeros] = [build('skip'), build()];
    expect(zeros.absentRows).toBe('zeros');
    const inference = { training: false } as const;
    expectTensorClose(skip.forward(batch(), inference).logits, zeros.forward(batch(), inference).logits, {
      atol: 1e-5,
    });
    const frozen = skip.freeze();
    expectTensorClose(frozen.forward(batch()).logits, zeros.forward(batch(), inference).logits, {
      atol: 1e-4,
    });
    const given = batch();
    expectNoLeak(() => ({ ...frozen.forward(given) }));
    frozen.dispose();
    expectNoLeak(() => ({ ...skip.forward(given, training) }));
    const [a, b] = [skip, zeros].map((model) => [...model.forward(given, training).logits.dataSync()]);
    expect(a).not.toEqual(b);
  });

  it('does not run an encoder whose modality nobody has', () => {
    const model = build('skip');
    const before = statistics(model).map((tensor) => [...tensor.dataSync()]);
    const { inputs } = batch();
    const none = { table: tf.zeros<tf.Rank.R1>([5]), image: tf.zeros<tf.Rank.R1>([5]) };
    const { features } = model.forward({ inputs, present: none }, training);
    expectTensorClose(features.table, tf.zeros([5, 3]), { atol: 0 });
    expect(statistics(model).map((tensor) => [...tensor.dataSync()])).toEqual(before);
  });
});

describe('rows that batch normalization needs', () => {
  beforeAll(async () => {
    await loadTensorFlow({ backend: 'tensorflow', quiet: true });
  });

  it('are two where a row has one value in each channel', () => {
    const bn = (shape: number[], axis = -1) =>
      tf.sequential({ layers: [layers.batchNormalization({ inputShape: shape, axis })] });
    expect(minRows(bn([4]))).toBe(2);
    expect(minRows(bn([3, 4]))).toBe(1);
    expect(minRows(bn([1, 1, 4]))).toBe(2);
    expect(minRows(bn([4, 1, 1], 1))).toBe(2);
    expect(minRows(bn([4, 1, 2], 1))).toBe(1);
    const frames = (shape: number[]) =>
      tf.sequential({
        layers: [layers.timeDistributed({ layer: layers.batchNormalization(), inputShape: shape })],
      });
    expect(minRows(frames([5, 4]))).toBe(2);
    expect(minRows(frames([5, 2, 2, 4]))).toBe(1);
    // A model in a model, and one without batch normalization.
    expect(minRows(tf.sequential({ layers: [bn([4])] }))).toBe(2);
    expect(minRows(tf.sequential({ layers: [layers.dense({ inputShape: [4], units: 2 })] }))).toBe(1);
    expect(minRows(tabularMlp({ name: 'rows', inputShape: [4], seed: 0 }))).toBe(2);
    expect(
      minRows(transformer({ name: 'text', inputShape: [null, 4], seed: 0, width: 4, heads: 1, layers: 1 })),
    ).toBe(1);
    expect(build().minRows).toEqual({ table: 2, image: 1 });
  });

  it('are asked for in training mode, by every way to run an encoder', () => {
    const [zeros, skip] = [build(), build('skip')];
    const inputs = { table: numbers(1, 4) as tf.Tensor, image: numbers(1, 8, 8, 1) as tf.Tensor };
    const message =
      '`table` has shape [1, 4]; expected at least 2 rows in training mode: batch normalization has one value of a row in each channel, and one value has no variance. Take larger batches, or leave the last one out (`dropLast`).';
    expect(() => zeros.forward({ inputs }, training)).toThrow(message);
    expect(() => zeros.encode('table', inputs.table, training)).toThrow(message);
    // Images have more values, and running statistics are there.
    zeros.forward({ inputs }, { training: { table: false, image: true } });
    zeros.encode('image', inputs.image, training);
    // What counts are the rows that the encoder sees.
    const two = { table: numbers(2, 4) as tf.Tensor, image: numbers(2, 8, 8, 1) as tf.Tensor };
    const present = { table: tf.tensor1d([0, 1]) };
    zeros.forward({ inputs: two, present }, training);
    expect(() => skip.forward({ inputs: two, present }, training)).toThrow(message);
    skip.forward({ inputs: two, present: { table: tf.tensor1d([0, 0]) } }, training);
  });

  it('and no other word than zeros and skip', () => {
    const { table } = { table: tf.sequential({ layers: [layers.dense({ inputShape: [2], units: 2 })] }) };
    const fusion = lateFusion({ widths: { table: 2 }, classes: 2, seed: 0 });
    expect(() => new MultimodalModel({ encoders: { table }, fusion, absentRows: 'none' as never })).toThrow(
      '`absentRows` is "none"; it can be zeros or skip.',
    );
  });
});
