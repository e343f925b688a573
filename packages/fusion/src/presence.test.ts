// What every fusion promises of samples that lack a modality, whatever its formula.
import type { Outputs } from '@g2d/core';
import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { expectNoLeak, expectTensorClose, gradCheck } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { cases, fusionOf, modelOf, numbersOf } from '../test/fusions.js';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

const BATCH = 3;
const all = ({ features, logits, unimodalLogits }: Outputs<string>): tf.Tensor[] => [
  logits,
  ...Object.values(unimodalLogits),
  ...Object.values(features),
];
const expectSame = (actual: Outputs<string>, expected: Outputs<string>): void =>
  all(actual).forEach((tensor, i) => expectTensorClose(tensor, all(expected)[i]!, { atol: 0 }));

describe.each(cases)('%s fusion of %j', (_, modalities, build) => {
  const features = () => numbersOf(modalities, [BATCH, 4]);
  const last = modalities.at(-1)!;
  /** Row 0 has everything, row 1 lacks the last modality, row 2 the first one if there are several. */
  const present = (): Record<string, tf.Tensor1D> => ({
    ...(modalities.length > 1 && { [modalities[0]!]: tf.tensor1d([1, 1, 0]) }),
    [last]: tf.tensor1d([1, 0, 1]),
  });
  const withRow = (x: tf.Tensor2D, row: number, value: number) => {
    const values = x.arraySync();
    values[row]!.fill(value);
    return tf.tensor2d(values, x.shape);
  };

  it('is the same with masks of ones as without', () => {
    const fusion = fusionOf(modalities, build);
    const ones = Object.fromEntries(modalities.map((name) => [name, tf.ones<tf.Rank.R1>([BATCH])]));
    expectSame(
      fusion.apply(features(), { training: false, present: ones }),
      fusion.apply(features(), { training: false }),
    );
    expectSame(
      fusion.apply(features(), { training: false, present: { [last]: ones[last]! } }),
      fusion.apply(features(), { training: false }),
    );
    expectSame(
      fusion.apply(features(), { training: false, present: {} }),
      fusion.apply(features(), { training: false }),
    );
  });

  it('does not see what stands in absent rows, and computes the others as if alone', () => {
    const fusion = fusionOf(modalities, build);
    const x = features();
    const expected = fusion.apply(x, { training: false, present: present() });
    for (const value of [NaN, Infinity, 7]) {
      expectSame(
        fusion.apply({ ...x, [last]: withRow(x[last]!, 1, value) }, { training: false, present: present() }),
        expected,
      );
    }
    for (const tensor of all(expected)) {
      expect(tensor.dataSync().every(Number.isFinite)).toBe(true);
    }
    const [masked, plain] = [expected, fusion.apply(x, { training: false })].map(({ logits }) =>
      tf.slice(logits, [0, 0], [1, 6]),
    );
    expectTensorClose(masked!, plain!, { atol: 1e-6 });
  });

  it('gives absent rows no gradient, whatever stands in them, and the others the right one', () => {
    const fusion = fusionOf(modalities, build);
    const x = features();
    const rows = { ...x, [last]: withRow(x[last]!, 1, NaN) };
    const score = (given: tf.Tensor2D): tf.Scalar => {
      const { logits, unimodalLogits } = fusion.apply(
        { ...rows, [last]: given },
        { training: false, present: present() },
      );
      return tf.sum(tf.square(tf.concat([logits, ...Object.values(unimodalLogits)])));
    };
    const gradient = (tf.grad(score as (x: tf.Tensor) => tf.Tensor)(rows[last]!) as tf.Tensor2D).arraySync();
    expect(gradient[1]!.every((value) => value === 0)).toBe(true);
    const others = [...gradient[0]!, ...gradient[2]!];
    expect(others.every((value) => Number.isFinite(value) && value !== 0)).toBe(true);
    gradCheck(
      (...given: tf.Tensor[]) => {
        const each = Object.fromEntries(modalities.map((name, i) => [name, given[i] as tf.Tensor2D]));
        const { logits, unimodalLogits } = fusion.apply(each, { training: false, present: present() });
        return tf.concat([logits, ...Object.values(unimodalLogits)]);
      },
      modalities.map((name) => x[name]!),
      // Layer normalization of four numbers is far from linear.
      { step: 1 / 64, tolerance: 2e-3 },
    );
  });

  it('has finite outputs and weight gradients in a model whose absent inputs are NaN', () => {
    const model = modelOf(modalities, build);
    const x = numbersOf(modalities, [BATCH, 3]);
    const broken = { ...x, [last]: withRow(x[last]!, 1, NaN) };
    const run = (inputs: Record<string, tf.Tensor2D>) =>
      tf.variableGrads(
        () =>
          tf.sum(
            tf.square(model.forward({ inputs, present: present() }, { training: true }).logits),
          ) as tf.Scalar,
        model.variables as tf.Variable[],
      );
    const [actual, expected] = [run(broken), run(x)];
    expect(Object.keys(actual.grads)).toEqual(model.variables.map(({ name }) => name));
    for (const [name, gradient] of Object.entries(actual.grads)) {
      expectTensorClose(gradient, expected.grads[name]!, { atol: 0 });
    }
    const encoded = model.encode(last, broken[last]!, { training: true }, present()[last]);
    expectTensorClose(tf.slice(encoded, [1, 0], [1, 4]), tf.zeros([1, 4]), {});
  });

  it('leaves no tensor behind', () => {
    const model = modelOf(modalities, build);
    const [x, inputs, masks] = [features(), numbersOf(modalities, [BATCH, 3]), present()];
    expectNoLeak(() => model.fuse(x, masks));
    expectNoLeak(() => ({ ...model.unimodalLogits(x, masks) }));
    expectNoLeak(() => ({ ...model.forward({ inputs, present: masks }, { training: true }) }));
    expectNoLeak(() => model.encode(last, inputs[last]!, { training: true }, masks[last]));
  });
});
