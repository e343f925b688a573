import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RgbImage } from '@g2d/formats/node';
import { describe, expect, it } from 'vitest';
import { resize, type Box } from './resize.js';

// Made with Pillow; see test/fixtures/transforms/NOTICE.txt.
interface Case {
  readonly picture: 'noise' | 'blocks';
  readonly seed: number;
  readonly width: number;
  readonly height: number;
  readonly to: { readonly height: number; readonly width: number };
  readonly box?: Box;
  readonly flip: boolean;
  readonly first: readonly number[];
  readonly sha256: string;
}
const { cases } = JSON.parse(
  readFileSync(new URL('../../../../test/fixtures/transforms/pillow/resize.json', import.meta.url), 'utf8'),
) as { readonly cases: readonly Case[] };

/** The pictures that the numbers were made of: hashed indices, single pixels or blocks of 5 × 7. */
function picture({ picture, seed, width, height }: Case): RgbImage {
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++, at++) {
        const i = picture === 'noise' ? at : (Math.floor(y / 7) * 131 + Math.floor(x / 5)) * 3 + c;
        pixels[at] = (Math.imul(i, 2654435761) + seed * 40503) >>> 13;
      }
    }
  }
  return { width, height, pixels };
}

const grey = (width: number, height: number, levels: readonly number[]): RgbImage => ({
  width,
  height,
  pixels: Uint8Array.from(levels.flatMap((level) => [level, level, level])),
});
const levels = (pixels: Uint8Array): number[] => Array.from(pixels).filter((_, i) => i % 3 === 0);

describe('resize', () => {
  it('weighs pixels by hand-computed triangles', () => {
    // 4 → 2: scale 2, centres 1 and 3, weights (3, 3, 1) / 7 of pixels 0 to 2, then (1, 3, 3) / 7 of pixels 1 to 3.
    expect(levels(resize(grey(4, 1, [70, 140, 210, 0]), { height: 1, width: 2 }))).toEqual([120, 110]);
    // 2 → 4: centres ¼, ¾, 1¼, 1¾ give 0, ¼, ¾ and all of the second pixel; down the columns alike.
    expect(levels(resize(grey(2, 1, [0, 200]), { height: 1, width: 4 }))).toEqual([0, 50, 150, 200]);
    expect(levels(resize(grey(1, 2, [0, 200]), { height: 4, width: 1 }))).toEqual([0, 50, 150, 200]);
  });

  it.each(cases)(
    'equals Pillow bit for bit: $picture $seed, $width × $height to $to.width × $to.height',
    (golden) => {
      const { to, box, flip, first, sha256 } = golden;
      const resized = resize(picture(golden), { ...to, flip, ...(box && { box }) });
      expect(Array.from(resized.subarray(0, 6))).toEqual(first);
      expect(createHash('sha256').update(resized).digest('hex')).toBe(sha256);
    },
  );

  it('does not look outside the box', () => {
    const image = grey(4, 3, [9, 9, 9, 9, 9, 10, 20, 9, 9, 9, 9, 9]);
    const box = { top: 1, left: 1, height: 1, width: 2 };
    expect(levels(resize(image, { height: 1, width: 2, box }))).toEqual([10, 20]);
    expect(levels(resize(image, { height: 1, width: 2, box, flip: true }))).toEqual([20, 10]);
  });

  it('keeps a picture of the wanted size as it is, in memory of its own', () => {
    const image = grey(2, 2, [1, 2, 3, 255]);
    const same = resize(image, { height: 2, width: 2 });
    expect(same).toEqual(image.pixels);
    expect(same.buffer).not.toBe(image.pixels.buffer);
  });

  it.each([
    [{ top: -1, left: 0, height: 1, width: 1 }],
    [{ top: 0, left: 0, height: 3, width: 1 }],
    [{ top: 0, left: 1, height: 1, width: 2 }],
    [{ top: 0, left: 0, height: 0, width: 1 }],
    [{ top: 0, left: 0.5, height: 1, width: 1 }],
    [{ top: 0, left: 0, height: Number.NaN, width: 1 }],
  ])('refuses the box %o of a 2 × 2 picture', (box) => {
    expect(() => resize(grey(2, 2, [1, 2, 3, 4]), { height: 2, width: 2, box })).toThrow(
      /The box .* must be of whole pixels, not empty and inside the picture/,
    );
  });

  it.each([0, 1.5, Number.NaN])('refuses a side of %d', (width) => {
    expect(() => resize(grey(1, 1, [1]), { height: 2, width })).toThrow(
      `A side of the resized picture is ${width}`,
    );
  });
});
