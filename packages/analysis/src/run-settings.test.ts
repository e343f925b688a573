import { describe, expect, it } from 'vitest';
import type { RunConfig } from './run.js';
import { dataOptions, flatSettings, phaseEpochsOf, scopeOf } from './run-settings.js';

describe('phaseEpochsOf and scopeOf', () => {
  it('look into the options of the methods, then at the top', () => {
    const smp = { smp: { phaseEpochs: [3, 4], scope: 'conv' }, 'g2d-loss': { alpha: 1 } };
    expect(phaseEpochsOf({ methodOptions: smp } as unknown as RunConfig)).toEqual([3, 4]);
    expect(scopeOf({ methodOptions: smp } as unknown as RunConfig)).toBe('conv');
    expect(phaseEpochsOf({ phaseEpochs: [1, 2] } as unknown as RunConfig)).toEqual([1, 2]);
    expect(phaseEpochsOf({} as RunConfig)).toBeUndefined();
  });
});

describe('dataOptions', () => {
  it('leaves out where the data lie', () => {
    const config = { seed: 3, dataset: { name: 'digits', root: 'data', seed: 3, draw: 2 } };
    expect(dataOptions(config as unknown as RunConfig)).toEqual({ name: 'digits', seed: 3, draw: 2 });
  });
});

describe('flatSettings', () => {
  it('gives dotted paths in an order that does not depend on the file', () => {
    const flat = flatSettings({ b: { y: [1, 2], x: 'a' }, a: true, gone: null, list: [{ z: 1 }] });
    expect([...flat]).toEqual([
      ['a', 'true'],
      ['b.x', 'a'],
      ['b.y', '1, 2'],
      ['list.0.z', '1'],
    ]);
  });
});
