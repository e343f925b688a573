import { FileFormatError } from '@g2d/tensor-ops';

/** Decoded sound. */
export interface Wav {
  /** Hz. */
  readonly sampleRate: number;
  /** One array per channel, samples in [−1, 1). */
  readonly channels: readonly Float32Array[];
}

const PCM = 1;
const EXTENSIBLE = 0xfffe;
/** A writer that could not seek back leaves this as the size: the data go on to the end of the file. */
const UNKNOWN_SIZE = 0xffffffff;

/**
 * Decodes a RIFF/WAVE file of 16-bit PCM samples: int16 / 32768. Chunks may come in any order, unknown ones are
 * skipped.
 *
 * @param bytes The file's content.
 * @param path Its name, for error messages.
 * @throws {FileFormatError} If it is not such a file, is cut off or holds no samples.
 */
export function decodeWav(bytes: Uint8Array, path: string): Wav {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 12 || tag(0) !== 'RIFF' || tag(8) !== 'WAVE') {
    throw new FileFormatError(path, 'not a WAV file: it does not start with RIFF … WAVE.');
  }
  let format: { start: number; size: number } | undefined;
  let data: { start: number; size: number } | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const name = tag(at);
    const start = at + 8;
    let size = view.getUint32(at + 4, true);
    if (name === 'data' && size === UNKNOWN_SIZE) size = bytes.length - start;
    if ((name === 'fmt ' || name === 'data') && start + size > bytes.length) {
      throw new FileFormatError(
        path,
        `truncated WAV file: chunk "${name.trim()}" should hold ${size} bytes, ${bytes.length - start} are left.`,
      );
    }
    if (name === 'fmt ') format ??= { start, size };
    if (name === 'data') data ??= { start, size };
    at = start + size + (size % 2);
  }
  if (format === undefined || format.size < 16)
    throw new FileFormatError(path, 'WAV file without a fmt chunk.');
  if (data === undefined) throw new FileFormatError(path, 'WAV file without a data chunk.');

  let encoding = view.getUint16(format.start, true);
  if (encoding === EXTENSIBLE && format.size >= 26) encoding = view.getUint16(format.start + 24, true);
  const channelCount = view.getUint16(format.start + 2, true);
  const sampleRate = view.getUint32(format.start + 4, true);
  const bits = view.getUint16(format.start + 14, true);
  if (encoding !== PCM || bits !== 16) {
    throw new FileFormatError(path, `WAV format ${encoding} with ${bits} bits; only 16-bit PCM can be read.`);
  }
  if (channelCount < 1 || sampleRate < 1) {
    throw new FileFormatError(path, `WAV file with ${channelCount} channels at ${sampleRate} Hz.`);
  }
  const frames = Math.floor(data.size / (2 * channelCount));
  if (frames === 0) throw new FileFormatError(path, 'WAV file without samples: its data chunk is empty.');
  const channels = Array.from({ length: channelCount }, () => new Float32Array(frames));
  let at = data.start;
  for (let i = 0; i < frames; i++) {
    for (const channel of channels) {
      channel[i] = view.getInt16(at, true) / 32768;
      at += 2;
    }
  }
  return { sampleRate, channels };
}
