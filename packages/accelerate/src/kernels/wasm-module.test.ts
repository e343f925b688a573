import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { WASM_KERNELS } from './wasm-bytes.js';
import { kernelsIn, wasmModule, webAssembly } from './wasm-module.js';

describe('our WebAssembly module', () => {
  beforeAll(async () => {
    await loadTensorFlow({ backend: 'wasm', quiet: true });
  });

  it('was compiled from the source that is there', () => {
    const source = readFileSync(new URL('../../wasm/kernels.c', import.meta.url));
    expect(createHash('sha256').update(source).digest('hex')).toBe(WASM_KERNELS.source);
  });

  it('is one for a backend, in the backend’s memory', () => {
    const module = wasmModule(tf.backend())!;
    expect(wasmModule(tf.backend())).toBe(module);
    const [a, b] = [tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]), tf.tensor2d([1, 0, 2, 0, 1, 3], [3, 2])];
    const c = module.output([2, 2]);
    module.withRoom(4 * module.run.matmulWork(2, 3), (work) =>
      module.run.matmul(...[a, b, c].map(module.pointer), 2, 2, 3, 1, 0, work),
    );
    const product = tf.engine().makeTensorFromTensorInfo(c);
    expect([...product.dataSync()]).toEqual([12, 15, 16, 18]);
    tf.dispose([a, b, product]);
  });

  it('gives the same numbers in a memory that threads share', () => {
    const memory = new (webAssembly().Memory)({ initial: 16, maximum: 65_535, shared: true });
    const numbers = new Float32Array(memory.buffer);
    numbers.set([1, 2, 3, 4, 5, 6], 100);
    numbers.set([1, 1, 1], 200);
    kernelsIn(memory).matmul(400, 800, 1200, 2, 1, 3, 0, 0, 1600);
    expect([...numbers.subarray(300, 302)]).toEqual([6, 15]);
  });

  it.each([
    ['hides its memory', { wasm: {} }],
    // Such a memory cannot be imported: it is no memory.
    ['has another one', { wasm: { asm: { memory: {} } } }],
  ])('is none for a backend that %s', (_, backend) => {
    expect(wasmModule(backend)).toBeNull();
  });

  it('is none for G2D_KERNELS=off', () => {
    vi.stubEnv('G2D_KERNELS', 'off');
    expect(wasmModule({ wasm: (tf.backend() as unknown as { wasm: object }).wasm })).toBeNull();
    vi.unstubAllEnvs();
  });

  it('says so where memory is full', () => {
    const { wasm, dataIdMap } = tf.backend() as unknown as { wasm: object; dataIdMap: object };
    const full = { dataIdMap, wasm: Object.assign(Object.create(wasm), { _malloc: () => 0 }) };
    expect(() => wasmModule(full)!.withRoom(4, () => 0)).toThrow(
      'The memory of the WebAssembly backend is full.',
    );
  });
});
