import { describe, expect, it } from 'vitest';
import { applyShims } from './shims.js';

describe('applyShims', () => {
  it('adds what Node 23 removed', () => {
    const util: Record<string, unknown> = {};
    applyShims(util, 'v24.1.0');
    const isNullOrUndefined = util['isNullOrUndefined'] as (value: unknown) => boolean;
    expect([null, undefined, 0, ''].map((value) => isNullOrUndefined(value))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(util['isArray']).toBe(Array.isArray);
  });

  it('leaves Node 20 as it is and replaces what prints a warning in Node 22', () => {
    const original = () => false;
    const util: Record<string, unknown> = { isNullOrUndefined: original, isArray: original };
    applyShims(util, 'v20.20.0');
    expect(util).toEqual({ isNullOrUndefined: original, isArray: original });
    applyShims(util, 'v22.2.0');
    expect(util['isNullOrUndefined']).not.toBe(original);
  });
});
