import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { accelerate } from '@g2d/accelerate';
import { expectNoLeak, expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { lateFusion } from './late-fusion.js';
import { MultimodalModel } from './multimodal-model.js';
import { keeping } from './pass-mode.js';
import type { PassMode } from '@g2d/core';

const { layers } = tf;

/** Convolution, batch normalization (also in a model inside of the model and of frames), dropout. */
function encoder(name: string, fast: boolean): tf.LayersModel {
  const inputs = tf.input({ shape: [4, 4, 1] });
  let x = layers.conv2d({ name: `${name}/conv`, filters: 2, kernelSize: 3, useBias: false }).apply(inputs);
  // Shifted: what is normalized has a mean of about 0, and sometimes exactly, which would not move the next one's.
  const betaInitializer = 'ones';
  x = layers.batchNormalization({ name: `${name}/bn`, momentum: 0.5, betaInitializer }).apply(x);
  const inner = tf.sequential({
    name: `${name}/inner`,
    layers: [layers.batchNormalization({ name: `${name}/inner/bn`, inputShape: [2, 2, 2], betaInitializer })],
  });
  x = inner.apply(x);
  x = layers
    .timeDistributed({ name: `${name}/frames`, layer: layers.batchNormalization({ name: `${name}/fbn` }) })
    .apply(x);
  x = layers.globalAveragePooling2d({ name: `${name}/pool` }).apply(x);
  x = layers.dropout({ name: `${name}/dropout`, rate: 0.5 }).apply(x);
  const model = tf.model({ name, inputs, outputs: x as tf.SymbolicTensor });
  return fast ? accelerate(model) : model;
}

const modelOf = (fast: boolean) =>
  new MultimodalModel({
    encoders: { a: encoder('a', fast), b: encoder('b', fast) },
    fusion: lateFusion({ widths: { a: 2, b: 2 }, classes: 3, seed: 0 }),
  });
type Model = ReturnType<typeof modelOf>;

const inputs = (scale = 1) => {
  const image = (phase: number) =>
    tf.tensor4d(
      Array.from({ length: 3 * 16 }, (_, i) => scale * Math.sin(i * i + phase)),
      [3, 4, 4, 1],
    );
  return { a: image(0), b: image(1) };
};
const statistics = (model: Model, modality: 'a' | 'b') =>
  [...model.state()]
    .filter(([name]) => name.startsWith(`${modality}/`) && name.includes('moving'))
    .map(([, weight]) => [...weight.read().dataSync()]);

describe.each([
  ['tensorflow', true],
  ['tensorflow', false],
  ['wasm', true],
  ['cpu', true],
  ['cpu', false],
] as const)('a pass of MultimodalModel on %s, accelerated %s', (backend, fast) => {
  beforeAll(async () => {
    await loadTensorFlow({ backend, quiet: true });
  });
  const x = inputs;
  /** A loss of a pass in this mode, in the middle of what is differentiated. */
  const gradients = (model: Model, mode: PassMode<'a' | 'b'>) =>
    tf.variableGrads(
      () => tf.sum(tf.square(model.forward({ inputs: x() }, mode).logits)) as tf.Scalar,
      model.variables as tf.Variable[],
    );

  it('moves running statistics in training, in all of an encoder’s layers', () => {
    const model = modelOf(fast);
    const before = statistics(model, 'a');
    expect(before).toHaveLength(6);
    model.forward({ inputs: x() }, { training: true });
    statistics(model, 'a').forEach((values, i) => expect(values).not.toEqual(before[i]));
  });

  it('keeps them on request, bit for bit, and normalizes with those of the batch', () => {
    const model = modelOf(fast);
    // Numbers that are not round.
    model.forward({ inputs: x(3) }, { training: true });
    const before = [statistics(model, 'a'), statistics(model, 'b')];
    const mode = { training: true, runningStatistics: 'keep' } as const;
    const after = () => [statistics(model, 'a'), statistics(model, 'b')];
    tf.tidy(() => void model.forward({ inputs: x() }, mode));
    expect(after()).toEqual(before);
    tf.dispose(model.encode('a', x().a, mode));
    expect(after()).toEqual(before);
    tf.dispose(gradients(model, mode) as unknown as tf.TensorContainer);
    expect(after()).toEqual(before);
    model.forward({ inputs: x() }, { training: true });
    expect(after()[0]).not.toEqual(before[0]);
  });

  it('normalizes alike whether statistics are kept or not', () => {
    const [one, other] = [modelOf(fast), modelOf(fast)];
    [...other.state().values()].forEach((weight, i) =>
      weight.write(tf.clone([...one.state().values()][i]!.read())),
    );
    // Dropout is random: what comes before it is compared through the statistics that a second pass leaves.
    one.forward({ inputs: x() }, { training: true, runningStatistics: 'keep' });
    one.forward({ inputs: x() }, { training: true });
    other.forward({ inputs: x() }, { training: true });
    expect(statistics(one, 'a')).toEqual(statistics(other, 'a'));
  });

  it('moves nothing when a mode says too little', () => {
    const model = modelOf(fast);
    const before = statistics(model, 'a');
    const mode = { training: { a: true } } as never;
    expect(() => model.forward({ inputs: x() }, mode)).toThrow(/`training` says nothing about b/);
    expect(statistics(model, 'a')).toEqual(before);
  });

  it('runs one encoder in inference mode and the other in training mode', () => {
    const model = modelOf(fast);
    const [a, b] = [statistics(model, 'a'), statistics(model, 'b')];
    const inference = model.forward({ inputs: x() }, { training: false });
    const mixed = model.forward({ inputs: x() }, { training: { a: false, b: true } });
    expect(statistics(model, 'a')).toEqual(a);
    expect(statistics(model, 'b')).not.toEqual(b);
    expectTensorClose(mixed.features.a, inference.features.a, { atol: 0 });
    expect([...mixed.features.b.dataSync()]).not.toEqual([...inference.features.b.dataSync()]);
  });

  it('gives constants without gradients, for anything that is differentiated', () => {
    const model = modelOf(fast);
    const kernel = model.variables[0]!;
    const scaled = (mode: PassMode) => {
      let constants: tf.Tensor2D | undefined;
      const { grads } = tf.variableGrads(() => {
        const { logits } = model.forward({ inputs: x() }, mode);
        constants = tf.keep(tf.clone(logits));
        return tf.sum(tf.mul(logits, tf.sum(kernel))) as tf.Scalar;
      }, [kernel]);
      return { gradient: grads[kernel.name]!, constants: constants! };
    };
    const { gradient, constants } = scaled({ training: false, gradients: false });
    expectTensorClose(constants, model.forward({ inputs: x() }, { training: false }).logits, { atol: 0 });
    // d/dk of (Σ k) c is c: the pass itself contributes nothing.
    const sum = tf.sum(constants).dataSync()[0]!;
    expectTensorClose(
      gradient,
      Array.from({ length: kernel.size }, () => sum),
      { atol: 1e-5 },
    );
    const { gradient: whole } = scaled({ training: false });
    expect([...whole.dataSync()]).not.toEqual([...gradient.dataSync()]);
  });

  it('frees at once what a pass without gradients leaves', () => {
    const model = modelOf(fast);
    const given = x();
    let kept = 0;
    const loss = (mode: PassMode) => () => {
      const before = tf.memory().numTensors;
      const { logits } = model.forward({ inputs: given }, mode);
      kept = tf.memory().numTensors - before;
      return tf.add(tf.sum(logits), tf.sum(model.variables[0]!)) as tf.Scalar;
    };
    const variables = [model.variables[0]!];
    tf.dispose(tf.variableGrads(loss({ training: true }), variables) as unknown as tf.TensorContainer);
    const recorded = kept;
    const mode = { training: true, gradients: false } as const;
    tf.dispose(tf.variableGrads(loss(mode), variables) as unknown as tf.TensorContainer);
    // Features, logits, unimodal logits.
    expect(kept).toBe(5);
    expect(recorded).toBeGreaterThan(5);
    // An optimizer step on it is an error, not silence.
    expect(() =>
      tf.variableGrads(() => tf.sum(model.forward({ inputs: given }, mode).logits) as tf.Scalar, variables),
    ).toThrow(/Cannot find a connection/);
  });

  it('leaves no tensor behind in any mode', () => {
    const model = modelOf(fast);
    const given = x();
    for (const training of [true, false]) {
      for (const runningStatistics of ['update', 'keep'] as const) {
        for (const gradients of [true, false]) {
          const mode = { training, runningStatistics, gradients };
          expectNoLeak(() => ({ ...model.forward({ inputs: given }, mode) }));
          expectNoLeak(() => model.encode('a', given.a, mode));
          expectNoLeak(
            () =>
              tf.variableGrads(
                () =>
                  tf.add(
                    tf.sum(model.forward({ inputs: given }, mode).logits),
                    tf.sum(model.variables[0]!),
                  ) as tf.Scalar,
                [model.variables[0]!],
              ) as unknown as object,
          );
        }
      }
    }
  });
});

describe('keeping', () => {
  it('puts variables back after an error too', async () => {
    await tf.setBackend('cpu');
    const layer = layers.batchNormalization({ inputShape: [2] });
    layer.build([null, 2]);
    const mean = layer.weights.filter(({ originalName }) => originalName.endsWith('moving_mean'));
    const pass = () => {
      mean[0]!.write(tf.tensor1d([1, 2]));
      throw new Error('a layer failed');
    };
    expect(() => keeping(mean, pass)).toThrow('a layer failed');
    expect([...mean[0]!.read().dataSync()]).toEqual([0, 0]);
  });
});
