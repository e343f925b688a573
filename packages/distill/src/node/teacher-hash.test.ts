import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { teacherHash } from './teacher-hash.js';

beforeAll(() => tf.setBackend('cpu'));

const variable = (tensor: tf.Tensor) => ({ read: () => tensor });
const kernel = tf.tensor2d([[1, 2]]);
const state = (changes: Record<string, tf.Tensor> = {}) =>
  new Map(
    Object.entries({
      'audio/conv1/kernel': kernel,
      'audio/bn1/moving_variance': tf.tensor1d([0.5]),
      step: tf.scalar(3, 'int32'),
      ...changes,
    }).map(([name, tensor]) => [name, variable(tensor)]),
  );

describe('teacherHash', () => {
  it('is SHA-256 of names, types, shapes and bytes, computed by hand', async () => {
    const expected = createHash('sha256')
      .update('["audio/bn1/moving_variance","float32",[1]]\n')
      .update(Uint8Array.of(0, 0, 0, 0x3f))
      .update('["audio/conv1/kernel","float32",[1,2]]\n')
      .update(Uint8Array.of(0, 0, 0x80, 0x3f, 0, 0, 0, 0x40))
      .update('["step","int32",[]]\n')
      .update(Uint8Array.of(3, 0, 0, 0));
    expect(await teacherHash(state())).toBe(expected.digest('hex'));
  });

  it('does not depend on the order of the variables, nor leave tensors', async () => {
    const variables = state();
    const before = tf.memory().numTensors;
    expect(await teacherHash([...variables].toReversed())).toBe(await teacherHash(variables));
    expect(tf.memory().numTensors).toBe(before);
  });

  it('changes with every value, shape, type and name', async () => {
    const hash = await teacherHash(state());
    const others = [
      state({ 'audio/conv1/kernel': tf.tensor2d([[1, 2.0000002]]) }),
      state({ 'audio/conv1/kernel': tf.tensor2d([[2, 1]]) }),
      state({ 'audio/conv1/kernel': tf.tensor2d([[1], [2]]) }),
      state({ 'audio/bn1/moving_variance': tf.tensor1d([0.25]) }),
      state({ step: tf.scalar(3) }),
      state({ more: tf.tensor1d([]) }),
      new Map([...state()].map(([name, weight]) => [name.replace('conv1', 'conv2'), weight] as const)),
    ];
    const hashes = await Promise.all(others.map((other) => teacherHash(other)));
    expect(new Set([hash, ...hashes]).size).toBe(others.length + 1);
  });

  it('refuses a state that is empty, has a name twice, or holds text', async () => {
    await expect(teacherHash([])).rejects.toThrow(/`state` is empty/);
    const twice = [...state(), ['step', variable(kernel)] as const];
    await expect(teacherHash(twice)).rejects.toThrow(/`state` has two variables "step"/);
    await expect(teacherHash([['x', variable(tf.tensor1d(['text']))]])).rejects.toThrow(/"x" is string/);
  });
});
