// One split of the small AV-MNIST in one file: what its pictures and sounds are made from, so that noise and detail can be chosen on the page.
import type { SmallAvMnistParts } from '@g2d/datasets';

/** How a pair is put together from the file's recordings and clips. */
export interface PackedPair {
  readonly digit: number;
  /** Places in the lists. */
  readonly recording: number;
  readonly clip: number;
  /** First sample of the noise in the clip. */
  readonly offset: number;
}

/** What a file holds. */
export interface Pack {
  readonly pairs: readonly PackedPair[];
  /** `[784]` each, one for each pair. */
  readonly pictures: readonly Uint8Array[];
  /** 16 bit, 8,000 Hz. */
  readonly recordings: readonly Int16Array[];
  readonly clips: readonly Int16Array[];
  /** Pictures that principal components are of, `[N, 784]`; empty but in the training split's file. */
  readonly componentsOf: Uint8Array;
}

const FORMAT = 'g2d-small-av-mnist-1';

/** The JSON in front: sizes, from which the places of everything follow. */
interface Header {
  readonly format: typeof FORMAT;
  readonly pairs: readonly PackedPair[];
  readonly recordings: readonly number[];
  readonly clips: readonly number[];
  readonly componentsOf: number;
}

const PIXELS = 28 * 28;
/** Of a sample in 16 bits, as WAV files are read. */
const SCALE = 32_768;

/** The bytes of a file, not yet compressed. */
export function encodePack({ pairs, pictures, recordings, clips, componentsOf }: Pack): Uint8Array {
  const lengths = (sounds: readonly Int16Array[]): number[] => sounds.map(({ length }) => length);
  const header: Header = {
    format: FORMAT,
    pairs,
    recordings: lengths(recordings),
    clips: lengths(clips),
    componentsOf: componentsOf.length,
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const sounds = [...recordings, ...clips].map((sound) => {
    const bytes = new Uint8Array(2 * sound.length);
    const view = new DataView(bytes.buffer);
    sound.forEach((value, i) => view.setInt16(2 * i, value, true));
    return bytes;
  });
  const parts = [text, componentsOf, ...pictures, ...sounds];
  const file = new Uint8Array(4 + parts.reduce((sum, { length }) => sum + length, 0));
  new DataView(file.buffer).setUint32(0, text.length, true);
  let at = 4;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}

/**
 * Reads a file.
 *
 * @param name For the error's sentence.
 * @throws {Error} If it is none, or is cut short.
 */
export function decodePack(file: Uint8Array, name: string): Pack {
  const broken = (): Error =>
    new Error(
      `${name} is no complete file of the data. Load the page again, or make it again: npm run site.`,
    );
  if (file.length < 4) throw broken();
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const begin = 4 + view.getUint32(0, true);
  let header: Header;
  try {
    header = JSON.parse(new TextDecoder().decode(file.subarray(4, begin))) as Header;
  } catch {
    throw broken();
  }
  if (header.format !== FORMAT) throw broken();
  let at = begin;
  const take = (length: number): Uint8Array => {
    if (at + length > file.length) throw broken();
    at += length;
    return file.subarray(at - length, at);
  };
  const componentsOf = take(header.componentsOf);
  const pictures = header.pairs.map(() => take(PIXELS));
  const sound = (length: number): Int16Array => {
    const start = at;
    take(2 * length);
    return Int16Array.from({ length }, (_, i) => view.getInt16(start + 2 * i, true));
  };
  return {
    pairs: header.pairs,
    pictures,
    recordings: header.recordings.map(sound),
    clips: header.clips.map(sound),
    componentsOf,
  };
}

/** The parts of each pair, as `smallAvMnistFromParts` takes them. */
export function partsOf({ pairs, pictures, recordings, clips }: Pack): readonly SmallAvMnistParts[] {
  const floats = (sounds: readonly Int16Array[]): Float32Array[] =>
    sounds.map((sound) => Float32Array.from(sound, (value) => value / SCALE));
  const speeches = floats(recordings);
  const noises = floats(clips);
  return pairs.map(({ digit, recording, clip, offset }, i) => {
    const speech = speeches[recording] as Float32Array;
    const noise = (noises[clip] as Float32Array).subarray(offset, offset + speech.length);
    return { digit, picture: pictures[i] as Uint8Array, speech, noise };
  });
}

/** A sound in 16 bits; exact for one that came from them. */
export const toInt16 = (samples: Float32Array): Int16Array =>
  Int16Array.from(samples, (value) => Math.round(value * SCALE));
