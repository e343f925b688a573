import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import { G2DError } from '@g2d/core';
import { randomStream } from '@g2d/tensor-ops';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeImage, readImage, type RgbImage } from './image.js';
import { crc32 } from '../zip/crc32.js';

const fixtures = fileURLToPath(new URL('../../../../test/fixtures/transforms', import.meta.url));
const pictures = join(fixtures, 'pillow/pictures');
const folder = mkdtempSync(join(tmpdir(), 'g2d-image-'));
afterAll(() => rmSync(folder, { recursive: true }));

// Made with Pillow; see test/fixtures/transforms/NOTICE.txt.
const { cases } = JSON.parse(readFileSync(join(fixtures, 'pillow/pictures.json'), 'utf8')) as {
  readonly cases: readonly {
    readonly file: string;
    readonly mode: string;
    readonly width: number;
    readonly height: number;
    readonly first: readonly number[];
    readonly sha256: string;
  }[];
};
const jpeg = readFileSync(join(pictures, 'baseline.jpg'));
const png = readFileSync(join(pictures, 'rgb.png'));

/** A PNG of one line of zeros that claims another size. */
function pngClaiming(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const chunk = (type: string, content: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type), content]);
    const framed = Buffer.alloc(body.length + 8);
    framed.writeUInt32BE(content.length, 0);
    framed.set(body, 4);
    framed.writeUInt32BE(crc32(body), body.length + 4);
    return framed;
  };
  return Buffer.concat([
    png.subarray(0, 8),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(4))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

describe('readImage', () => {
  it.each(cases)('equals Pillow: $file, mode $mode', async ({ file, width, height, first, sha256 }) => {
    const image = await readImage(join(pictures, file));
    expect([image.width, image.height, image.pixels.length]).toEqual([width, height, 3 * width * height]);
    expect(Array.from(image.pixels.subarray(0, 6))).toEqual(first);
    expect(createHash('sha256').update(image.pixels).digest('hex')).toBe(sha256);
  });

  it('names a file that is missing', async () => {
    await expect(readImage(join(folder, 'missing.jpg'))).rejects.toThrow(/missing\.jpg/);
  });

  it('says that a file is only a Git LFS pointer', async () => {
    const path = join(folder, 'pointer.jpg');
    writeFileSync(path, 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 32689\n');
    await expect(readImage(path)).rejects.toThrow(/pointer\.jpg: is a Git LFS pointer/);
  });
});

describe('decodeImage', () => {
  it.each([
    ['an empty file', Buffer.alloc(0), /a\.jpg: is empty; expected a JPEG or PNG picture/],
    [
      'HTML',
      Buffer.from('<!DOCTYPE html><html>'),
      /is not a JPEG or PNG picture.*starts with "<!DOCTYPE html><"/,
    ],
    [
      'SVG, which could name other files',
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
      /is not a JPEG or PNG picture/,
    ],
    ['a JPEG cut in the middle', jpeg.subarray(0, jpeg.length / 2), /cannot be decoded \(.*premature end/],
    ['a JPEG without its end', jpeg.subarray(0, -2), /cannot be decoded \(.*premature end/],
    ['a JPEG cut in its header', jpeg.subarray(0, 30), /ends before its size is given: it has 30 bytes/],
    ['a JPEG that ends early and goes on', damaged(), /cannot be decoded \(.*Corrupt JPEG data/],
    ['a PNG cut in the middle', png.subarray(0, png.length / 2), /cannot be decoded/],
    ['a PNG cut in its header', png.subarray(0, 20), /ends before its size is given/],
    ['a PNG without lines', pngClaiming(5, 5), /cannot be decoded/],
    ['a PNG of width 0', pngClaiming(0, 5), /cannot be decoded/],
  ])('refuses %s', async (_, bytes, message) => {
    await expect(decodeImage(bytes, 'a.jpg')).rejects.toThrow(message);
    await expect(decodeImage(bytes, 'a.jpg')).rejects.toMatchObject({ code: 'G2D_FILE_FORMAT' });
  });

  it('refuses too many pixels before decoding them', async () => {
    await expect(decodeImage(pngClaiming(60_000, 60_000), 'bomb.png')).rejects.toThrow(
      'bomb.png: has 60000 × 60000 pixels; at most 89478485 are decoded.',
    );
    await expect(decodeImage(png, 'a.png', { maxPixels: 116 })).rejects.toThrow(
      /has 13 × 9 pixels; at most 116/,
    );
    expect((await decodeImage(png, 'a.png', { maxPixels: 117 })).width).toBe(13);
    await expect(decodeImage(png, 'a.png', { maxPixels: 0 })).rejects.toThrow('`maxPixels` is 0');
  });

  it('reads bytes that lie inside a larger buffer', async () => {
    const inside = new Uint8Array(png.length + 7);
    inside.set(png, 7);
    expect(await decodeImage(inside.subarray(7), 'a.png')).toEqual(await decodeImage(png, 'a.png'));
  });

  it('takes one thread for a picture', async () => {
    await decodeImage(png, 'a.png');
    expect(sharp.concurrency()).toBe(1);
  });

  it('decodes mutated files or refuses them by name, and does nothing else', async () => {
    const random = randomStream(11);
    const originals = cases.map(({ file }) => readFileSync(join(pictures, file)));
    let refused = 0;
    for (let i = 0; i < 1000; i++) {
      const bytes = Buffer.from(originals[i % originals.length] as Buffer);
      const changes = 1 + random.integer(8);
      for (let k = 0; k < changes; k++) bytes[random.integer(bytes.length)] = random.integer(256);
      const cut = random.uniform() < 0.3 ? bytes.subarray(0, random.integer(bytes.length)) : bytes;
      // A limit as a user with small pictures would set it: large claims are refused, not allocated.
      const outcome = await decodeImage(cut, 'mutated', { maxPixels: 2 ** 20 }).catch(
        (error: unknown) => error,
      );
      const right = outcome instanceof Error ? isRefusal(outcome) : isImage(outcome as RgbImage);
      expect(right, String(outcome)).toBe(true);
      if (outcome instanceof Error) refused += 1;
    }
    expect(refused).toBeGreaterThan(300);
    expect(refused).toBeLessThan(1000);
  });
});

function damaged(): Buffer {
  const bytes = Buffer.from(jpeg);
  bytes.set([0x12, 0x34, 0xff, 0xd9], Math.floor(bytes.length * 0.8));
  return bytes;
}

const isImage = ({ width, height, pixels }: RgbImage): boolean => pixels.length === 3 * width * height;
const isRefusal = (error: Error): boolean =>
  G2DError.isInstance(error) && error.code === 'G2D_FILE_FORMAT' && error.message.startsWith('mutated: ');
