import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { encodePng, type GrayImage } from './png.js';

/** Colour of each pixel, row by row. */
function pixels(image: GrayImage): number[][] {
  const { data, width, height } = PNG.sync.read(encodePng(image));
  expect([width, height]).toEqual([image.width, image.height]);
  return Array.from({ length: width * height }, (_, index) => [...data.subarray(index * 4, index * 4 + 3)]);
}

describe('encodePng', () => {
  it('scales the smallest value to black and the largest to white', () => {
    expect(pixels({ width: 3, height: 1, values: [-1, 0, 1] })).toEqual([
      [0, 0, 0],
      [128, 128, 128],
      [255, 255, 255],
    ]);
  });

  it('draws the first row at the bottom where asked to', () => {
    const image: GrayImage = { width: 1, height: 2, values: [0, 1], origin: 'bottom' };
    expect(pixels(image).map(([red]) => red)).toEqual([255, 0]);
  });

  it('keeps zero neutral on the diverging scale, however lopsided the values', () => {
    const [zero, positive, negative] = pixels({
      width: 3,
      height: 1,
      values: [0, 4, -1],
      colors: 'diverging',
    });
    expect(zero).toEqual([247, 247, 247]);
    expect(positive).toEqual([103, 0, 31]);
    expect(negative![2]).toBeGreaterThan(negative![0]!);
  });

  it('gets brighter all along the magma-like scale', () => {
    const image: GrayImage = {
      width: 64,
      height: 1,
      values: Float32Array.from({ length: 64 }, (_, i) => i),
      colors: 'magma-like',
    };
    const brightness = pixels(image).map(
      ([red, green, blue]) => 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!,
    );
    expect(brightness).toEqual([...brightness].sort((a, b) => a - b));
  });

  it('survives constant images and values that are not finite', () => {
    expect(pixels({ width: 2, height: 1, values: [5, 5] }).flat()).toEqual([0, 0, 0, 0, 0, 0]);
    expect(pixels({ width: 3, height: 1, values: [Number.NaN, 0, 2] })[2]).toEqual([255, 255, 255]);
  });

  it('rejects a wrong number of values', () => {
    expect(() => encodePng({ width: 2, height: 2, values: [1] })).toThrow('needs 4 values; `values` has 1');
  });
});
