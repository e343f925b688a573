import { describe, expect, it } from 'vitest';
import type { MultimodalDataset } from './dataset.js';
import { inMemory } from './in-memory.js';

function toy() {
  const calls = { read: 0, closed: 0 };
  const dataset: MultimodalDataset<'x'> = {
    name: 'toy',
    split: 'test',
    modalities: ['x'],
    shapes: { x: [2, 1] },
    classNames: ['a'],
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

  it('refuses samples that do not exist', async () => {
    const copy = await inMemory(toy().dataset);
    await expect(copy.sample(3)).rejects.toThrow(/no sample 3/);
    await copy.close();
    await expect(copy.sample(0)).rejects.toThrow(/no sample 0/);
  });
});
