// What needs no browser of `startWasm`; with one, test/packaging/vite.test.ts has the rest.
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { startWasm } from './wasm.js';

describe('startWasm', () => {
  it.each([0, -1, 1.5, NaN])('refuses %s threads', async (threads) => {
    await expect(startWasm({ threads })).rejects.toMatchObject({
      code: 'G2D_OPTION',
      message: `\`threads\` is ${threads}; expected an integer of at least 1. Leave it out for the number of TensorFlow.js.`,
    });
  });

  it('makes WebAssembly the backend, says what it has, and begins anew for another number of threads', async () => {
    for (const options of [{}, { threads: 2 }, { threads: 2 }, {}]) {
      const { simd, threads, problems } = await startWasm(options);
      expect(tf.getBackend()).toBe('wasm');
      // Node has threads of another kind.
      expect({ simd, threads }).toEqual({ simd: true, threads: 1 });
      expect(problems).toEqual([
        expect.stringMatching(/^WebAssembly runs on one thread: the page is not isolated/),
      ]);
      const product = tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]]));
      expect(product.dataSync()[0]).toBe(11);
    }
  });
});
