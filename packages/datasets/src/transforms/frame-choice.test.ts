import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { evenFrames, fixedFrames } from './frame-choice.js';

// Made with numpy; see test/fixtures/transforms/NOTICE.txt.
const golden = JSON.parse(
  readFileSync(
    new URL('../../../../test/fixtures/transforms/tables/frame_choice.json', import.meta.url),
    'utf8',
  ),
) as {
  readonly choice: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
  readonly other_seeds_n12_size5: Readonly<Record<string, readonly number[]>>;
};

describe('fixedFrames', () => {
  it('gives the numpy generator’s choice for every number of frames up to 99', () => {
    expect(Object.keys(golden.choice)).toHaveLength(99);
    for (const [n, sizes] of Object.entries(golden.choice)) {
      for (const [size, frames] of Object.entries(sizes)) {
        expect(fixedFrames(Number(n), Number(size)), `${size} of ${n}`).toEqual(frames);
      }
    }
  });

  it('gives the numpy generator’s choice for other seeds', () => {
    for (const [seed, frames] of Object.entries(golden.other_seeds_n12_size5)) {
      expect(fixedFrames(12, 5, Number(seed)), `seed ${seed}`).toEqual(frames);
    }
  });

  it('chooses a permutation if all are wanted, also of more frames than the generator makes at once', () => {
    const all = fixedFrames(2000, 2000);
    expect([...all].sort((a, b) => a - b)).toEqual(Array.from({ length: 2000 }, (_, i) => i));
  });

  it('refuses more frames than there are', () => {
    expect(() => fixedFrames(2, 3)).toThrow(/3 different frames are wanted but there are 2/);
  });
});

describe('evenFrames', () => {
  it.each([
    [1, 1, [0]],
    [2, 1, [1]],
    [3, 1, [1]],
    [10, 1, [5]],
    [10, 3, [1, 5, 8]],
    [3, 3, [0, 1, 2]],
    [2, 3, [0, 1, 1]],
    [1, 3, [0, 0, 0]],
  ])('of %d frames, %d are %j', (n, size, frames) => {
    expect(evenFrames(n, size)).toEqual(frames);
  });

  it.each([
    [0, 1, '`n` is 0'],
    [3, 0, '`size` is 0'],
    [3, 1.5, '`size` is 1.5'],
    [Number.NaN, 1, '`n` is NaN'],
  ])('refuses %d frames, %d wanted', (n, size, message) => {
    expect(() => evenFrames(n, size)).toThrow(message);
    expect(() => fixedFrames(n, size)).toThrow(message);
  });
});
