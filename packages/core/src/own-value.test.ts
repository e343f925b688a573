import { describe, expect, it } from 'vitest';
import { ownValue } from './own-value.js';

describe('ownValue', () => {
  it.each(['constructor', 'toString', 'valueOf', '__proto__', 'hasOwnProperty'])(
    'looks up %s as any name',
    (name) => {
      expect(ownValue({ other: 1 }, name)).toBeUndefined();
      expect(ownValue(Object.fromEntries([[name, 1]]), name)).toBe(1);
      expect(ownValue(undefined, name)).toBeUndefined();
    },
  );
});
