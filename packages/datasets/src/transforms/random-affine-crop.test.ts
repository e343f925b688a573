import { type RandomStream } from '@g2d/core';
import { randomStream } from '@g2d/tensor-ops';
import { describe, expect, it } from 'vitest';
import { affineCrop, randomAffineCrop, type CropUniforms } from './random-affine-crop.js';

const RANGES = { area: [0.3, 1], aspect: 4 / 3, rotation: 20 } as const;
const image = Float32Array.from({ length: 16 }, (_, i) => i);
const SHAPE = [4, 4, 1];

/** Largest absolute difference. */
function distance(actual: Float32Array, expected: readonly number[]): number {
  expect(actual).toHaveLength(expected.length);
  return Math.max(...expected.map((value, i) => Math.abs((actual[i] as number) - value)));
}

describe('affineCrop', () => {
  it('is the identity at full area, square and without rotation', () => {
    for (const [u3, u4] of [
      [0, 0],
      [0.9, 0.2],
    ] as const) {
      expect(distance(affineCrop(image, SHAPE, [1, 0.5, u3, u4, 0.5], RANGES), [...image])).toBeLessThan(
        1e-5,
      );
    }
  });

  it('enlarges a quarter of the area, from the corner that the position names', () => {
    // s = 1/2, t = −1/2: columns ((0.5 x − 0.5 + 1) 4 − 1)/2 = −0.25, 0.25, 0.75, 1.25 for x = −3/4, −1/4, 1/4, 3/4.
    // Column −0.25 is 3/4 of pixel 0 and 1/4 of the zero outside.
    const ranges = { area: [0.25, 1], aspect: 1, rotation: 0 } as const;
    const along = (values: readonly number[]): number[] => [
      0.75 * (values[0] as number),
      0.75 * (values[0] as number) + 0.25 * (values[1] as number),
      0.25 * (values[0] as number) + 0.75 * (values[1] as number),
      0.75 * (values[1] as number) + 0.25 * (values[2] as number),
    ];
    const rows = [0, 1, 2].map((i) => along([4 * i, 4 * i + 1, 4 * i + 2]));
    const columns = [0, 1, 2, 3].map((j) => along(rows.map((row) => row[j] as number)));
    const expected = [0, 1, 2, 3].flatMap((i) => columns.map((column) => column[i] as number));
    expect(distance(affineCrop(image, SHAPE, [0, 0.5, 0, 0, 0.5], ranges), expected)).toBeLessThan(1e-5);
  });

  it('rotates by the angle: a quarter turn moves every pixel', () => {
    // r = 90°: output (x, y) reads input (−y, x), so output[i][j] = input[j][3 − i].
    const expected = [0, 1, 2, 3].flatMap((i) => [0, 1, 2, 3].map((j) => 4 * j + (3 - i)));
    const ranges = { area: [1, 1], aspect: 1, rotation: 90 } as const;
    // u₅ cannot be 1 but may come close.
    expect(distance(affineCrop(image, SHAPE, [0, 0, 0, 0, 1], ranges), expected)).toBeLessThan(1e-4);
  });

  it('stretches by the aspect ratio and keeps all of the other side', () => {
    // area 1, ratio 4: s_x = min(1, 2) = 1, s_y = 1/2, t_y = 0 at u₄ = 1/2: rows 0.75, 1.25, 1.75, 2.25
    const expected = [0.75, 1.25, 1.75, 2.25].flatMap((row) => [0, 1, 2, 3].map((j) => 4 * row + j));
    const ranges = { area: [0.3, 1], aspect: 4, rotation: 0 } as const;
    expect(distance(affineCrop(image, SHAPE, [1, 1, 0.5, 0.5, 0], ranges), expected)).toBeLessThan(1e-5);
  });

  it('agrees with a direct restatement for arbitrary numbers', () => {
    // Written apart from the code above: one output pixel at a time, in the formulas' own order, weights by 1 − |distance|.
    const size = 28;
    const random = randomStream(3);
    const picture = Float32Array.from({ length: size * size }, () => random.uniform());
    for (let trial = 0; trial < 5; trial++) {
      const u = Array.from({ length: 5 }, () => random.uniform()) as unknown as CropUniforms;
      const area = 0.3 + 0.7 * u[0];
      const ratio = (4 / 3) ** (2 * u[1] - 1);
      const [sx, sy] = [Math.min(1, (area * ratio) ** 0.5), Math.min(1, (area / ratio) ** 0.5)];
      const [tx, ty] = [(1 - sx) * (2 * u[2] - 1), (1 - sy) * (2 * u[3] - 1)];
      const r = ((2 * u[4] - 1) * 20 * Math.PI) / 180;
      const expected = Array.from({ length: size * size }, (_, k) => {
        const x = (2 * (k % size) + 1) / 28 - 1;
        const y = (2 * Math.floor(k / size) + 1) / 28 - 1;
        const X = ((sx * Math.cos(r) * x - sx * Math.sin(r) * y + tx + 1) * 28 - 1) / 2;
        const Y = ((sy * Math.sin(r) * x + sy * Math.cos(r) * y + ty + 1) * 28 - 1) / 2;
        let sum = 0;
        picture.forEach((value, at) => {
          const weight =
            Math.max(0, 1 - Math.abs(X - (at % size))) * Math.max(0, 1 - Math.abs(Y - Math.floor(at / size)));
          sum += weight * value;
        });
        return sum;
      });
      expect(distance(affineCrop(picture, [size, size, 1], u, RANGES), expected)).toBeLessThan(1e-5);
    }
  });

  it('treats channels alike', () => {
    const two = Float32Array.from({ length: 32 }, (_, i) => (i % 2 === 0 ? i / 2 : -(i - 1) / 2));
    const u: CropUniforms = [0.2, 0.8, 0.1, 0.7, 0.9];
    const one = affineCrop(image, SHAPE, u, RANGES);
    const both = affineCrop(two, [4, 4, 2], u, RANGES);
    one.forEach((value, i) => {
      expect(both[2 * i]).toBeCloseTo(value, 5);
      expect(both[2 * i + 1]).toBeCloseTo(-value, 5);
    });
  });
});

describe('randomAffineCrop', () => {
  it('draws area, ratio, position x, position y, rotation in this order', () => {
    const u: CropUniforms = [0.2, 0.8, 0.1, 0.7, 0.9];
    let at = 0;
    const stream: RandomStream = { ...randomStream(1), uniform: () => u[at++] as number };
    expect(randomAffineCrop()(image, SHAPE, stream)).toEqual(affineCrop(image, SHAPE, u, RANGES));
    expect(at).toBe(5);
  });

  it('leaves its input alone', () => {
    const before = image.slice();
    randomAffineCrop()(image, SHAPE, randomStream(1));
    expect(image).toEqual(before);
  });

  it.each([
    [{ area: [0, 1] as const }, /`area`/],
    [{ area: [0.5, 0.4] as const }, /`area`/],
    [{ area: [0.5, 1.1] as const }, /`area`/],
    [{ aspect: 0.9 }, /`aspect`/],
    [{ rotation: -1 }, /`rotation`/],
    [{ rotation: NaN }, /`rotation`/],
  ])('refuses %o', (options, message) => {
    expect(() => randomAffineCrop(options)).toThrow(message);
  });
});
