import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { beforeAll, describe, expect, it } from 'vitest';
import { accelerate } from './accelerate.js';
import { nextDropout, withDropoutSeed } from './dropout-seed.js';
import { dropoutFactors } from './kernels/dropout.js';
import { deriveSeed } from '@g2d/tensor-ops';
import { expectNoLeak, expectTensorClose } from '@g2d/tensor-ops/testing';

const { layers } = tf;

/** Two dropouts of one shape, the second in a model of its own: outputs x, x after the first, x after the second. */
function model(): tf.LayersModel {
  const inputs = tf.input({ shape: [40] });
  const inner = tf.sequential({
    name: 'inner',
    layers: [layers.dropout({ name: 'text/second', rate: 0.25, inputShape: [40] })],
  });
  const first = layers.dropout({ name: 'text/first', rate: 0.25 }).apply(inputs) as tf.SymbolicTensor;
  return accelerate(tf.model({ inputs, outputs: [first, inner.apply(inputs) as tf.SymbolicTensor] }));
}

const ones = () => tf.ones([5, 40]);
const run = (network: tf.LayersModel, training = true) =>
  (network.apply(ones(), { training }) as tf.Tensor[]).map((y) => [...y.dataSync()]) as [number[], number[]];
const mask = (seed: number, name: string) => [
  ...dropoutFactors(200, { rate: 0.25, seed: deriveSeed(seed, name) }),
];

describe.each(['tensorflow', 'wasm', 'cpu'] as const)('withDropoutSeed on %s', (backend) => {
  beforeAll(async () => {
    await loadTensorFlow({ backend, quiet: true });
  });

  it('gives each layer the mask of its name, on every backend', () => {
    const network = model();
    expect(withDropoutSeed(7, () => run(network))).toEqual([
      mask(7, '0/text/first'),
      mask(7, '0/text/second'),
    ]);
    // Another model with the same names, as in another process.
    const other = model();
    expect(withDropoutSeed(7, () => run(other))[0]).toEqual(mask(7, '0/text/first'));
  });

  it('gives other masks to other layers, further passes and other seeds', () => {
    const network = model();
    const [one, two] = withDropoutSeed(7, () => [run(network), run(network)]);
    const other = withDropoutSeed(8, () => run(network));
    const masks = [...one!, ...two!, ...other];
    expect(new Set(masks.map((values) => values.join())).size).toBe(6);
    expect(two![0]).toEqual(mask(7, '1/text/first'));
    expect(withDropoutSeed(7, () => [run(network), run(network)])).toEqual([one, two]);
  });

  it('gives parts of a batch what they have in the whole', () => {
    const width = 37;
    const network = accelerate(
      tf.sequential({ layers: [layers.dropout({ name: 'part', rate: 0.25, inputShape: [width] })] }),
    );
    const drop = (rows: number, share?: { index: number; of: number }) =>
      withDropoutSeed(7, () => network.apply(tf.ones([rows, width]), { training: true }) as tf.Tensor, share);
    const parts = Array.from({ length: 3 }, (_, index) => drop(2, { index, of: 3 }));
    expect([...tf.concat(parts).dataSync()]).toEqual([...drop(6).dataSync()]);
  });

  it('drops nothing in inference mode, and draws anew without a seed', () => {
    const network = model();
    expect(withDropoutSeed(7, () => run(network, false))[0]).toEqual([...ones().dataSync()]);
    const [one, two] = [run(network), run(network)];
    expect(one).not.toEqual(two);
    expect(new Set(one[0])).toEqual(new Set([0, Math.fround(1 / 0.75)]));
  });

  it('has gradients of the same mask', () => {
    const network = model();
    const theta = tf.variable(ones());
    withDropoutSeed(7, () => {
      const { grads } = tf.variableGrads(() => {
        const [first, second] = network.apply(theta, { training: true }) as [tf.Tensor, tf.Tensor];
        return tf.sum(tf.add(tf.mul(first, 3), second)) as tf.Scalar;
      }, [theta]);
      const [first, second] = [mask(7, '0/text/first'), mask(7, '0/text/second')];
      expectTensorClose(
        grads[theta.name]!,
        first.map((factor, i) => 3 * factor + second[i]!),
        { atol: 1e-6 },
      );
    });
  });

  it('leaves no tensor behind', () => {
    const [network, theta] = [model(), tf.variable(ones())];
    withDropoutSeed(1, () => {
      expectNoLeak(() => network.apply(theta, { training: true }) as tf.Tensor[]);
      expectNoLeak(() => {
        const { value, grads } = tf.variableGrads(
          () => tf.sum((network.apply(theta, { training: true }) as tf.Tensor[])[0]!) as tf.Scalar,
          [theta],
        );
        return [value, grads];
      });
    });
  });

  it('leaves layers alone that settle their masks themselves, or have a rate of 0 or 1', () => {
    const inputs = tf.input({ shape: [40] });
    const outputs = [{ seed: 3 }, { noiseShape: [5, 1] }, { rate: 0 }, { rate: 1 }].map(
      (options) => layers.dropout({ rate: 0.5, ...options }).apply(inputs) as tf.SymbolicTensor,
    );
    const network = accelerate(tf.model({ inputs, outputs }));
    const [seeded, shaped, none, all] = withDropoutSeed(7, () =>
      (network.apply(ones(), { training: true }) as tf.Tensor[]).map((y) => [...y.dataSync()]),
    );
    const plain = layers.dropout({ rate: 0.5, seed: 3 }).apply(ones(), { training: true }) as tf.Tensor;
    expect(seeded).toEqual([...plain.dataSync()]);
    for (let row = 0; row < 5; row++) expect(new Set(shaped!.slice(40 * row, 40 * row + 40)).size).toBe(1);
    expect(none).toEqual([...ones().dataSync()]);
    expect(all).toEqual([...ones().dataSync()]);
  });
});

describe('the scope of withDropoutSeed', () => {
  it('returns what its function returns, and ends with it, also after an error', () => {
    expect(nextDropout('a')).toBeUndefined();
    expect(withDropoutSeed(1, () => nextDropout('a'))).toEqual({
      seed: deriveSeed(1, '0/a'),
      index: 0,
      of: 1,
    });
    const share = { index: 1, of: 2 };
    expect(withDropoutSeed(1, () => nextDropout('a'), share)).toEqual({
      seed: deriveSeed(1, '0/a'),
      ...share,
    });
    expect(() =>
      withDropoutSeed(1, () => {
        throw new Error('a layer failed');
      }),
    ).toThrow('a layer failed');
    expect(nextDropout('a')).toBeUndefined();
  });

  it('is on its own within another, which goes on after it', () => {
    const seeds = withDropoutSeed(1, () => [
      nextDropout('a')?.seed,
      withDropoutSeed(2, () => nextDropout('a')?.seed),
      nextDropout('a')?.seed,
    ]);
    expect(seeds).toEqual([deriveSeed(1, '0/a'), deriveSeed(2, '0/a'), deriveSeed(1, '1/a')]);
  });

  it('refuses seeds that are no integers and functions that go on later', () => {
    expect(() => withDropoutSeed(0.5, () => 1)).toThrow(/The seed is 0.5/);
    expect(() => withDropoutSeed(1, async () => 1)).toThrow(/gave a promise/);
    expect(nextDropout('a')).toBeUndefined();
  });
});
