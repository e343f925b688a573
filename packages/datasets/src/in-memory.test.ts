import { randomStream } from '@g2d/tensor-ops';
import { describe, expect, it } from 'vitest';
import type { MultimodalDataset } from '@g2d/core';
import { inMemory } from './in-memory.js';

function toy() {
  const calls = { read: 0, closed: 0 };
  const dataset: MultimodalDataset<'x'> = {
    name: 'toy',
    split: 'test',
    task: 'classification',
    modalities: ['x'],
    shapes: { x: [2, 1] },
    classNames: ['a'],
    ids: ['toy/0', 'toy/1', 'toy/2'],
    size: 3,
    async sample(i) {
      calls.read++;
      return { id: `toy/${i}`, label: 0, inputs: { x: Float32Array.of(i, -i) } };
    },
    close() {
      calls.closed++;
    },
  };
  return { dataset, calls };
}

describe('inMemory', () => {
  it('reads once, closes the original and gives fresh arrays', async () => {
    const { dataset, calls } = toy();
    const copy = await inMemory(dataset);
    expect(calls).toEqual({ read: 3, closed: 1 });
    const first = await copy.sample(2);
    first.inputs.x.fill(9);
    expect(await copy.sample(2)).toEqual({ id: 'toy/2', label: 0, inputs: { x: Float32Array.of(2, -2) } });
    expect(calls.read).toBe(3);
    expect([copy.name, copy.split, copy.size, copy.shapes.x]).toEqual(['toy', 'test', 3, [2, 1]]);
  });

  it('refuses more than the limit before reading', async () => {
    const { dataset, calls } = toy();
    // 3 samples × 2 numbers × 4 bytes
    await expect(inMemory(dataset, { maxBytes: 23 })).rejects.toThrow(/needs 24 bytes/);
    expect(calls.read).toBe(0);
    await expect(inMemory(dataset, { maxBytes: 24 })).resolves.toBeDefined();
  });

  it('counts the bytes of free lengths while it reads', async () => {
    const { dataset, calls } = toy();
    const growing: typeof dataset = {
      ...dataset,
      shapes: { x: [null, 1] },
      sample: async (i) => ({ id: `toy/${i}`, label: 0, inputs: { x: new Float32Array(1 + i) } }),
    };
    // 4 + 8 + 12 bytes
    await expect(inMemory(growing, { maxBytes: 23 })).rejects.toThrow(
      /up to sample 2 of toy \(test\) needs 24 bytes/,
    );
    expect(calls.closed).toBe(1);
    const copy = await inMemory(growing, { maxBytes: 24 });
    expect((await copy.sample(2)).inputs.x).toHaveLength(3);
  });

  it('reads what augmentation changes from the files again', async () => {
    const { dataset, calls } = toy();
    const augmented: typeof dataset = {
      ...dataset,
      modalities: ['x'],
      augmented: ['x'],
      sample: async (i, { random } = {}) => ({
        ...(await dataset.sample(i)),
        inputs: { x: Float32Array.of(random ? random('x').uniform() : 7, 0) },
      }),
    };
    const copy = await inMemory(augmented);
    expect(calls).toEqual({ read: 3, closed: 0 });
    const random = () => randomStream(1);
    expect((await copy.sample(1)).inputs.x[0]).toBe(7);
    expect(calls.read).toBe(3);
    expect((await copy.sample(1, { random })).inputs.x[0]).toBe(Math.fround(randomStream(1).uniform()));
    expect([calls.read, copy.augmented, copy.ids]).toEqual([4, ['x'], dataset.ids]);
    await copy.close();
    expect(calls.closed).toBe(1);
  });

  it('gives the modalities that are asked for', async () => {
    const copy = await inMemory(toy().dataset);
    expect((await copy.sample(1, { modalities: [] })).inputs).toEqual({});
  });

  it('refuses samples that do not exist', async () => {
    const copy = await inMemory(toy().dataset);
    await expect(copy.sample(3)).rejects.toThrow(/no sample 3/);
    await copy.close();
    await expect(copy.sample(0)).rejects.toThrow(/no sample 0/);
  });
});
