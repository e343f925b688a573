import { checkKeys, FileFormatError, OptionError } from '@g2d/core';
import { readSmallFile } from './byte-source.js';
import { refuseGitLfsPointer } from './git-lfs.js';
import { optionalPackage } from './optional-package.js';

/** A decoded picture. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  /** `[H, W, 3]`, 0 to 255: red, green, blue. */
  readonly pixels: Uint8Array;
}

export interface ImageLimits {
  /** Larger pictures are refused before they are decoded. Default 89,478,485, from where on PIL warns of a bomb. */
  readonly maxPixels?: number;
}

/** What a file says about its picture, as far as decoding needs it. */
interface ImageHeader {
  readonly width: number;
  readonly height: number;
  /** How the decoder must be asked, and what must be done to its answer. */
  readonly layout: 'rgb' | 'cmyk' | 'grey16';
}

const MAX_PIXELS = 89_478_485;
/** No picture within the pixel limit is larger. */
const MAX_FILE_BYTES = 2 ** 29;
/** A picture of many progressive scans can take minutes per megapixel. */
const LONGEST_SECONDS = 60;
const PNG_MAGIC = Buffer.from('89504e470d0a1a0a', 'hex');

/**
 * Reads a JPEG or PNG file as 8-bit RGB, equal to `Image.open(path).convert('RGB')` of PIL.
 *
 * Alpha is dropped, not blended; palettes and grey are expanded; of 16-bit colours the high byte is kept, and 16-bit grey
 * above 255 is white, as PIL has it; CMYK is converted without a profile. EXIF orientation and colour profiles are not
 * applied. One thing is stricter than PIL: damaged JPEG data are an error, not grey areas.
 *
 * Decoding runs in libuv's thread pool, of 4 threads in the whole process unless `UV_THREADPOOL_SIZE` says otherwise. The
 * first call sets `sharp.concurrency(1)`, for the whole process: a picture then takes one thread, and pictures run side by
 * side.
 *
 * @throws {FileFormatError} If it is no such file, is cut off or damaged, or has too many pixels.
 * @example
 * const { width, height, pixels } = await readImage('Image-01-FPS/1001_DFA_ANG_XX/00029.jpg');
 */
export async function readImage(path: string, limits: ImageLimits = {}): Promise<RgbImage> {
  return decodeImage(readSmallFile(path, MAX_FILE_BYTES), path, limits);
}

/**
 * As `readImage`, of bytes in memory.
 *
 * @param bytes The file's content.
 * @param path Its name, for error messages.
 */
export async function decodeImage(
  bytes: Uint8Array,
  path: string,
  limits: ImageLimits = {},
): Promise<RgbImage> {
  const { maxPixels = MAX_PIXELS } = checkKeys(limits, { maxPixels: true }, 'decodeImage');
  if (!(maxPixels >= 1)) {
    throw new OptionError(`\`maxPixels\` is ${maxPixels}; it must be at least 1.`, {
      option: 'maxPixels',
      value: maxPixels,
      accepted: '≥ 1',
    });
  }
  refuseGitLfsPointer(bytes, path);
  const { width, height, layout } = headerOf(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), path);
  if (width * height > maxPixels) {
    throw new FileFormatError(
      path,
      `has ${width} × ${height} pixels; at most ${maxPixels} are decoded. Make it smaller, or raise \`maxPixels\`.`,
      { width, height, maxPixels },
    );
  }
  const sharp = await loadSharp();
  const picture = sharp(bytes, {
    failOn: 'warning',
    limitInputPixels: Math.min(Math.floor(maxPixels), Number.MAX_SAFE_INTEGER),
    // Even its own conversion to sRGB: the numbers in the file are what PIL gives.
    ignoreIcc: true,
  }).timeout({ seconds: LONGEST_SECONDS });
  try {
    const { data, info } = await DECODERS[layout](picture).toBuffer({ resolveWithObject: true });
    if (info.width !== width || info.height !== height) {
      throw new Error(`${info.width} × ${info.height} pixels instead of ${width} × ${height}`);
    }
    return { width, height, pixels: TO_RGB[layout](data, width * height) };
  } catch (cause) {
    const reason =
      cause instanceof Error ? cause.message.trim().replaceAll(/\s*\n\s*/g, '; ') : String(cause);
    throw new FileFormatError(
      path,
      `cannot be decoded (${reason}): it is cut off or damaged. Make, copy or download it again.`,
      { cause },
    );
  }
}

type Sharp = import('sharp').Sharp;

/** Only when the first picture is read: who reads none needs no native library. */
async function loadSharp(): Promise<typeof import('sharp').default> {
  const { default: sharp } = await optionalPackage('sharp', 'Pictures', () => import('sharp'));
  sharp.concurrency(1);
  return sharp;
}

const DECODERS: Readonly<Record<ImageHeader['layout'], (picture: Sharp) => Sharp>> = {
  rgb: (picture) => picture.removeAlpha().toColourspace('srgb').raw(),
  // Both: otherwise a profile for printing is put in between.
  cmyk: (picture) => picture.pipelineColourspace('cmyk').toColourspace('cmyk').raw(),
  grey16: (picture) => picture.removeAlpha().toColourspace('grey16').raw({ depth: 'ushort' }),
};

const TO_RGB: Readonly<Record<ImageHeader['layout'], (data: Buffer, pixels: number) => Uint8Array>> = {
  rgb: (data, pixels) => {
    expectBytes(data, 3 * pixels);
    return new Uint8Array(data.buffer, data.byteOffset, data.length);
  },
  cmyk: (data, pixels) => {
    expectBytes(data, 4 * pixels);
    const rgb = new Uint8Array(3 * pixels);
    for (let i = 0, from = 0, to = 0; i < pixels; i++, from += 4) {
      const light = 255 - (data[from + 3] as number);
      for (let c = 0; c < 3; c++) {
        // light · ink / 255, rounded, without a division.
        const product = light * (data[from + c] as number) + 128;
        rgb[to++] = light - (((product >> 8) + product) >> 8);
      }
    }
    return rgb;
  },
  grey16: (data, pixels) => {
    expectBytes(data, 2 * pixels);
    const rgb = new Uint8Array(3 * pixels);
    const levels = new DataView(data.buffer, data.byteOffset, data.length);
    for (let i = 0; i < pixels; i++) {
      rgb.fill(Math.min(levels.getUint16(2 * i, LITTLE_ENDIAN), 255), 3 * i, 3 * i + 3);
    }
    return rgb;
  },
};

const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

function expectBytes(data: Buffer, expected: number): void {
  if (data.length !== expected) throw new Error(`${data.length} bytes of pixels instead of ${expected}`);
}

/** Only JPEG and PNG: the decoder also knows formats that name other files. */
function headerOf(bytes: Buffer, path: string): ImageHeader {
  const header = bytes.subarray(0, 8).equals(PNG_MAGIC)
    ? pngHeader(bytes)
    : bytes.length > 2 && bytes.readUIntBE(0, 3) === 0xffd8ff
      ? jpegHeader(bytes)
      : undefined;
  if (header !== undefined) return header;
  const start = bytes
    .subarray(0, 16)
    .toString('latin1')
    .replaceAll(/[^ -~]/g, '.');
  throw new FileFormatError(
    path,
    bytes.length === 0
      ? 'is empty; expected a JPEG or PNG picture.'
      : `is not a JPEG or PNG picture, or ends before its size is given: it has ${bytes.length} bytes and starts with "${start}".`,
    { offset: 0 },
  );
}

function pngHeader(bytes: Buffer): ImageHeader | undefined {
  if (bytes.length < 33 || bytes.toString('latin1', 12, 16) !== 'IHDR') return undefined;
  const depth = bytes[24];
  const colourType = bytes[25];
  return {
    width: bytes.readUInt32BE(16),
    height: bytes.readUInt32BE(20),
    layout: depth === 16 && colourType === 0 ? 'grey16' : 'rgb',
  };
}

/** Walks the segments to the frame header: SOF0 to SOF15 without DHT (C4), JPG (C8) and DAC (CC). */
function jpegHeader(bytes: Buffer): ImageHeader | undefined {
  let at = 2;
  while (at + 10 <= bytes.length) {
    if (bytes[at] !== 0xff) {
      // As libjpeg does: what does not belong to a segment is skipped.
      at += 1;
      continue;
    }
    const marker = bytes[at + 1] as number;
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      return {
        height: bytes.readUInt16BE(at + 5),
        width: bytes.readUInt16BE(at + 7),
        layout: bytes[at + 9] === 4 ? 'cmyk' : 'rgb',
      };
    }
    // A fill byte, or a marker without content: TEM, RST0 to RST7, SOI.
    const alone = marker === 0xff || marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd8);
    at += marker === 0xff ? 1 : alone ? 2 : 2 + bytes.readUInt16BE(at + 2);
  }
  return undefined;
}
