import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { tensorflow } from '@g2d/tensor-ops/tensorflow';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { tinySetup } from '../test/tiny-setup.js';
import { measureStep } from './measure-step.js';
import { assertRecordable, recordOperations } from './operation-times.js';
import { workOf } from './operation-work.js';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

afterEach(() => void vi.restoreAllMocks());

/** Remembers the backend, and asks later whether it is the same again. */
function remembered(): () => void {
  const backend = tensorflow();
  const { binding, getInputTensorIds } = backend;
  return () => {
    expect(backend.binding).toBe(binding);
    expect(backend.getInputTensorIds).toBe(getInputTensorIds);
  };
}

describe('recordOperations', () => {
  it('records each operation once, with one output or several, with shapes and time', () => {
    const expectSame = remembered();
    const [a, b] = [tf.ones([2, 3]), tf.ones([3, 4])];
    const stop = recordOperations();
    const product = tf.matMul(a, b);
    const halves = tf.split(product, 2, 1);
    const calls = stop();
    tf.dispose([a, b, product, halves]);
    expect(calls.map(({ operation }) => operation)).toEqual(['BatchMatMulV2', 'SplitV']);
    expect(calls.map(({ outputs }) => outputs.map(({ shape }) => shape))).toEqual([
      [[2, 4]],
      [
        [2, 2],
        [2, 2],
      ],
    ]);
    expect(calls[0]!.inputs.map(({ shape }) => shape)).toEqual([
      [2, 3],
      [3, 4],
    ]);
    expect(workOf(calls[0]!)).toEqual({ multiplyAdds: 24, bytes: 4 * (6 + 12 + 8) });
    for (const { ms } of calls) expect(ms).toBeGreaterThan(0);
    expectSame();
  });

  it('knows numbers of one byte', () => {
    const x = tf.ones([2, 3]);
    const stop = recordOperations();
    const mask = tf.greater(x, 0);
    const chosen = tf.where(mask, x, x);
    const [greater, select] = stop();
    tf.dispose([x, mask, chosen]);
    expect(greater?.outputs).toEqual([{ shape: [2, 3], bytes: 1 }]);
    expect(select?.inputs[0]).toEqual({ shape: [2, 3], bytes: 1 });
  });

  it('records plain layers and their gradients', () => {
    const model = tf.sequential({
      layers: [tf.layers.conv2d({ filters: 2, kernelSize: 3, inputShape: [5, 5, 1] }), tf.layers.flatten()],
    });
    const x = tf.ones([1, 5, 5, 1]);
    const stop = recordOperations();
    const { value, grads } = tf.variableGrads(() => tf.sum(model.apply(x, { training: true }) as tf.Tensor));
    const names = stop().map(({ operation }) => operation);
    tf.dispose([x, value, grads]);
    model.dispose();
    expect(names).toEqual(expect.arrayContaining(['Conv2D', 'Conv2DBackpropFilter']));
  });

  it('ends once, and records nothing from then on', () => {
    const expectSame = remembered();
    const stop = recordOperations();
    const add = () => tf.tidy(() => void tf.add(tf.ones([2]), tf.ones([2])));
    add();
    expect(stop()).toHaveLength(1);
    expectSame();
    add();
    expect(stop()).toHaveLength(1);
    expectSame();
  });

  it('gives the backend back when an operation fails', () => {
    const expectSame = remembered();
    const stop = recordOperations();
    expect(() => tensorflow().executeSingleOutput('NoSuchOperation', [], [])).toThrow(/NoSuchOperation/);
    expect(stop()).toEqual([]);
    expectSame();
  });
});

describe('measureStep with operations', () => {
  it('records the timed steps alone, those of the optimizer too, and no more than the steps', async () => {
    const expectSame = remembered();
    const tensors = tf.memory().numTensors;
    const { recorded = [] } = await measureStep(tinySetup, () => {}, { operations: true });
    expect(recorded.map(({ share, steps }) => [share, steps.length])).toEqual([[1, 3]]);
    const names = recorded[0]!.steps.map(({ calls }) => calls.map(({ operation }) => operation));
    expect(names[1]).toEqual(names[0]);
    const updated = recorded[0]!.steps[0]!.calls.filter(
      ({ operation }) => operation === 'ResourceApplyMomentum',
    );
    // The gradient has its shape, without which the variables’ sizes are not known.
    expect(updated.some(({ inputs }) => inputs[3]!.shape.length === 4)).toBe(true);
    for (const { ms, calls } of recorded[0]!.steps) {
      expect(calls.reduce((sum, call) => sum + call.ms, 0)).toBeLessThan(ms);
    }
    expectSame();
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it('gives the backend back after an error in the middle of a step', async () => {
    const expectSame = remembered();
    // After the warm-up.
    const interrupt = () => {
      vi.spyOn(tensorflow(), 'refCount').mockImplementation(() => {
        throw new Error('Enough.');
      });
    };
    await expect(measureStep(tinySetup, interrupt, { operations: true })).rejects.toThrow('Enough.');
    expectSame();
  });
});

describe('assertRecordable', () => {
  it('refuses what computes elsewhere', () => {
    expect(() => assertRecordable({ backend: 'tensorflow', device: 'gpu' })).toThrow(
      /--operations needs TensorFlow on a CPU, but this is a GPU, .*CUDA_VISIBLE_DEVICES=-1\.$/,
    );
    expect(() => assertRecordable({ backend: 'wasm', device: 'cpu' })).toThrow(
      /--operations needs the backend tensorflow, but this is wasm\. /,
    );
    expect(() => assertRecordable({ backend: 'tensorflow', device: 'cpu' })).not.toThrow();
  });
});
