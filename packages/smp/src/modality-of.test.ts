import { describe, expect, expectTypeOf, it } from 'vitest';
import { byPrefix } from './modality-of.js';

describe('byPrefix', () => {
  it('finds the modality, and none for shared variables', () => {
    const modalityOf = byPrefix({ audio: 'audio/', video: 'video/' });
    expect(modalityOf('video/conv1/kernel_1')).toBe('video');
    expect(modalityOf('fusion/kernel')).toBeUndefined();
    expect(modalityOf.modalities).toEqual(['audio', 'video']);
    expectTypeOf(modalityOf).returns.toEqualTypeOf<'audio' | 'video' | undefined>();
  });

  it('refuses prefixes that overlap', () => {
    expect(() => byPrefix({ a: 'enc', b: 'encoder/' })).toThrow(
      'The prefix "encoder/" of b begins with "enc", the prefix of a.',
    );
    expect(() => byPrefix({ a: 'x/', b: 'x/' })).toThrow(/begins with "x\/"/);
    expect(() => byPrefix({ a: '' })).toThrow(/is empty/);
  });
});
