import { describe, expect, it } from 'vitest';
import { tensorValues } from './recipe.js';

describe('tensorValues', () => {
  // Check values of the format's description.
  it('is the published hash', () => {
    const values = tensorValues({ seed: 7, name: 'check/a' }, 4);
    const hashes = [1707531312, 114679192, 9110201, 1390023436];
    expect([...values]).toEqual(hashes.map((x) => Math.fround(2 * (x / 2 ** 32) - 1)));
    expect([...values]).toEqual([
      -0.20486876368522644, -0.9465983510017395, -0.9957577586174011, -0.35271990299224854,
    ]);
  });

  it('scales in double precision and rounds once', () => {
    const scale = 0.043740888263985325;
    const values = tensorValues({ seed: 11, name: 'encoder/net.conv1.weight', scale }, 3136);
    expect([values[0], values[3135]]).toEqual([0.034237056970596313, 0.008600910194218159]);
    expect(tensorValues({ seed: 21, name: 'batch0/audio', scale: Math.sqrt(3) }, 10_000)[9999]).toBe(
      0.8885416984558105,
    );
  });

  it('is a constant at scale 0', () => {
    expect([...tensorValues({ seed: 1, name: 'x', scale: 0, offset: 0.1 }, 2)]).toEqual([
      Math.fround(0.1),
      Math.fround(0.1),
    ]);
  });
});
