import { readFileSync } from 'node:fs';
import { randomStream } from '@g2d/tensor-ops';
import { describe, expect, it } from 'vitest';
import { randomResizedCrop, type CropRandom } from './random-resized-crop.js';
import type { Box } from './resize.js';

interface Case {
  readonly width: number;
  readonly height: number;
  readonly u: readonly number[];
  readonly r_top: number | null;
  readonly r_left: number | null;
  readonly box: Box;
}
// Made with torchvision; see test/fixtures/transforms/NOTICE.txt.
const { cases } = JSON.parse(
  readFileSync(
    new URL('../../../../test/fixtures/transforms/tables/crop_boxes.json', import.meta.url),
    'utf8',
  ),
) as { readonly cases: readonly Case[] };

/** A stream of given numbers; running out of them is an error. */
function given(numbers: readonly number[]): CropRandom & { left(): number } {
  let next = 0;
  const uniform = (): number => {
    const value = numbers[next++];
    if (value === undefined) throw new Error('more numbers were drawn than expected');
    return value;
  };
  return {
    uniform,
    integer: (bound) => Math.floor(uniform() * bound),
    left: () => numbers.length - next,
  };
}

describe('randomResizedCrop', () => {
  it.each(cases)('gives the reference box of $width × $height, $box', ({ width, height, u, ...golden }) => {
    const random = given([...u, golden.r_top, golden.r_left].filter((value) => value !== null));
    expect(randomResizedCrop({ width, height }, random)).toEqual(golden.box);
    expect(random.left()).toBe(0);
  });

  it('rounds halves to the even number', () => {
    // All of 5 × 5 at ratio 1 is 5; area fractions that give sides 2.5 and 3.5 become 2 and 4.
    const side = (length: number): number =>
      randomResizedCrop({ width: 5, height: 5 }, given([0, 0, 0, 0]), {
        area: [length ** 2 / 25, 1],
        ratio: [1, 1],
      }).width;
    expect([side(2.5), side(3.5)]).toEqual([2, 4]);
  });

  it('stays inside the picture and covers the whole range of areas', () => {
    const random = randomStream(3);
    const areas = Array.from({ length: 2000 }, () => {
      const { top, left, height, width } = randomResizedCrop({ width: 480, height: 360 }, random);
      expect(top >= 0 && left >= 0 && top + height <= 360 && left + width <= 480).toBe(true);
      return (height * width) / (480 * 360);
    });
    expect(Math.min(...areas)).toBeGreaterThan(0.079);
    expect(Math.min(...areas)).toBeLessThan(0.09);
    expect(Math.max(...areas)).toBeGreaterThan(0.95);
  });

  it('gives the same box for the same stream', () => {
    const box = (seed: number): Box => randomResizedCrop({ width: 480, height: 360 }, randomStream(seed));
    expect(box(7)).toEqual(box(7));
    expect(box(7)).not.toEqual(box(8));
  });

  it('falls back to the middle without attempts', () => {
    expect(randomResizedCrop({ width: 100, height: 90 }, given([]), { attempts: 0 })).toEqual({
      top: 0,
      left: 0,
      height: 90,
      width: 100,
    });
    expect(randomResizedCrop({ width: 1, height: 900 }, given([]), { attempts: 0 })).toMatchObject({
      height: 1,
      width: 1,
    });
  });

  it.each([
    [{ area: [0, 1] }, /`area` is \[0, 1\]/],
    [{ area: [0.5, 0.4] }, /`area`/],
    [{ area: [0.5, 1.5] }, /`area`/],
    [{ ratio: [0, 1] }, /`ratio`/],
    [{ ratio: [2, 1] }, /`ratio`/],
    [{ attempts: -1 }, /`attempts`/],
  ] as const)('refuses %o', (options, message) => {
    expect(() => randomResizedCrop({ width: 4, height: 4 }, given([]), options)).toThrow(message);
  });
});
