import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadTensorFlow } from '@g2d/native';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Processes } from './processes.js';
import { sharedMemory } from './shared-memory.js';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

/** Process `rank` of two, the other of which says this. */
function withOther(rank: number, others: readonly unknown[]) {
  const told: unknown[] = [];
  const tell = <T>(value: T): T[] => {
    const other = others[told.length] as T;
    told.push(value);
    return rank === 0 ? [value, other] : [other, value];
  };
  return { told, all: { allReduce: { rank, processes: 2 }, tell } as unknown as Processes };
}

const fileOf = (segment: number): string => `/dev/shm/g2d-${segment}`;

describe.runIf(process.platform === 'linux')('sharedMemory', () => {
  const canShare = process.env['G2D_KERNELS'] !== 'off';

  it('is there if the other process finds it too, and leaves no file behind', () => {
    const { told, all } = withOther(0, [null, true]);
    expect(typeof sharedMemory(all, {})).toBe(canShare ? 'function' : 'object');
    expect(told).toEqual([{ segment: expect.any(Number), token: expect.any(String) }, canShare]);
    expect(existsSync(fileOf((told[0] as { segment: number }).segment))).toBe(false);
  });

  it('is not used if the other one does not find it, or has none', () => {
    const elsewhere = withOther(0, [null, false]);
    expect(sharedMemory(elsewhere.all, {})).toBeNull();
    expect(existsSync(fileOf((elsewhere.told[0] as { segment: number }).segment))).toBe(false);
    const without = withOther(1, [null, false]);
    expect(sharedMemory(without.all, {})).toBeNull();
    expect(without.told).toEqual([null, false]);
  });

  it('of the same name on another machine is left alone', () => {
    const segment = 2 ** 31 - 1 - (process.pid % 1000);
    writeFileSync(fileOf(segment), 'somebody else’s');
    try {
      const { told, all } = withOther(1, [{ segment, token: 'a'.repeat(64) }, true]);
      expect(sharedMemory(all, {})).toBeNull();
      expect(told.at(-1)).toBe(false);
      expect(readFileSync(fileOf(segment), 'utf8')).toBe('somebody else’s');
    } finally {
      rmSync(fileOf(segment));
    }
  });

  it('is not wanted by somebody who says so', () => {
    for (const rank of [0, 1]) {
      const { told, all } = withOther(rank, [rank === 0 ? null : { segment: 1, token: 'a' }, true]);
      expect(sharedMemory(all, { G2D_SHARED_MEMORY: 'off' })).toBeNull();
      expect(told).toEqual([null, false]);
    }
  });
});
