import { describe, expect, it } from 'vitest';
import { firstLine, isNotWritable, NativeError } from './errors.js';

describe('NativeError', () => {
  it('carries a code and details', () => {
    const error = new NativeError('G2D_NATIVE_NO_INDEX', 'no index', { tried: 2 });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'NativeError', code: 'G2D_NATIVE_NO_INDEX', details: { tried: 2 } });
  });

  it('is recognized without its class, for errors of another copy of the package', () => {
    const foreign = Object.assign(new Error('x'), { [Symbol.for('@g2d/native.NativeError')]: true });
    expect(NativeError.isInstance(foreign)).toBe(true);
    expect(NativeError.isInstance(new NativeError('G2D_NATIVE_OPTION', 'x'))).toBe(true);
    expect(NativeError.isInstance(new Error('x'))).toBe(false);
    expect(NativeError.isInstance(null)).toBe(false);
  });
});

describe('isNotWritable', () => {
  it('is true for permissions and read-only disks, not for a full disk', () => {
    for (const code of ['EROFS', 'EACCES', 'EPERM']) expect(isNotWritable({ code })).toBe(true);
    expect(isNotWritable({ code: 'ENOSPC' })).toBe(false);
    expect(isNotWritable(undefined)).toBe(false);
  });
});

describe('firstLine', () => {
  it('shortens a message to what fits into a sentence', () => {
    expect(firstLine(new Error('first\nsecond'))).toBe('first');
    expect(firstLine('text')).toBe('text');
  });
});
