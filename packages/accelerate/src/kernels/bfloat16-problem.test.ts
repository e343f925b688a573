import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { expected } from '../../test/expected.js';
import { accelerate } from '../accelerate.js';
import { freeze } from '../freeze.js';
import { tensorflow } from '@g2d/tensor-ops/tensorflow';

beforeEach(async () => {
  vi.resetModules();
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});
afterEach(() => {
  vi.restoreAllMocks();
});

const network = () =>
  tf.sequential({
    layers: [tf.layers.conv2d({ filters: 2, kernelSize: 3, inputShape: [5, 5, 1] })],
  });
/** What the error says; `none` without one. */
function refusal(body: () => unknown): string {
  try {
    body();
    return 'none';
  } catch (error) {
    return (error as Error).message;
  }
}
/** A copy that has tried nothing yet. */
const fresh = async () => (await import('./bfloat16-problem.js')).bfloat16Problem;

describe('bfloat16Problem', () => {
  it('finds none where the processor and TensorFlow have what is needed', async () => {
    expect((await fresh())() ?? 'none').toMatch(expected.bfloat16() ? /^none$/ : /TensorFlow/);
  });

  it('finds what fails, and what is computed too roughly', async () => {
    const backend = tensorflow();
    const original = backend.executeSingleOutput.bind(backend);
    const isRough = (attributes: readonly { name: string; value: unknown }[]) =>
      attributes.some(({ name, value }) => name === 'T' && value === 14);
    /** Products of ours would be all that is tried. */
    const withoutOurs = (attributes: readonly { name: string; value: unknown }[]): void => {
      if (attributes.some(({ name, value }) => name === 'round_to_bfloat16' && value === true))
        throw new Error('A processor with vectors of bfloat16 is expected.');
    };
    const spy = vi
      .spyOn(backend, 'executeSingleOutput')
      .mockImplementation((operation, attributes, inputs) => {
        withoutOurs(attributes);
        if (!isRough(attributes)) return original(operation, attributes, inputs);
        throw new Error('Invalid TF_Status: 10\nMessage: Status: 3, message: could not create it, in file a');
      });
    expect((await fresh())()).toBe('TensorFlow has no bfloat16 on this processor (could not create it)');
    vi.resetModules();
    // Gradients of 0, as memory that nobody wrote.
    spy.mockImplementation((operation, attributes, inputs) => {
      withoutOurs(attributes);
      if (!isRough(attributes)) return original(operation, attributes, inputs);
      const type = { name: 'T', type: 0, value: 1 };
      const exact = attributes.map((one) => (one.name === 'T' ? { ...one, value: type.value } : one));
      const float32 = inputs.map((x) => (x.dtype === 'int32' ? x : tf.zeros(x.shape)));
      const kernel = exact.filter(({ name }) => name !== '_kernel');
      return original(operation, operation.startsWith('_Mkl') ? exact : kernel, float32);
    });
    expect((await fresh())()).toMatch(/^its sums are rounded .* a convolution differs by 100.0 %$/);
  });

  it('is about the backend in use', async () => {
    await tf.setBackend('cpu');
    expect((await fresh())()).toBe('the backend is cpu, and only tensorflow has bfloat16');
    // Documented to have no effect there.
    expect(() => accelerate(network(), { precision: 'bfloat16' })).not.toThrow();
  });

  it('leaves nothing behind', async () => {
    const problem = await fresh();
    const before = tf.memory().numTensors;
    problem();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('models in bfloat16', () => {
  it('are refused before their first step where it cannot be had, also where the backend comes later', async () => {
    const make = [
      () => accelerate(network(), { precision: 'bfloat16' }),
      () => freeze(network(), { precision: 'bfloat16' }),
    ];
    const sentence =
      /`precision` is "bfloat16", but .*TensorFlow.*\. Use "float32" here, or a processor with/;
    const wanted = expected.bfloat16() ? /^none$/ : sentence;
    for (const one of make) expect(refusal(one)).toMatch(wanted);
    await tf.setBackend('cpu');
    const early = accelerate(network(), { precision: 'bfloat16' });
    await tf.setBackend('tensorflow');
    expect(refusal(() => tf.dispose(early.apply(tf.ones([1, 5, 5, 1])) as tf.Tensor))).toMatch(wanted);
  });
});
