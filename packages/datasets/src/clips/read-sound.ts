import { decodeWav } from '@g2d/formats/node';
import { FileFormatError, OptionError } from '@g2d/core';
import { resample } from '../transforms/resample.js';
import { monoMix } from '../transforms/waveform.js';
import { readWholeFile } from './read-whole-file.js';

interface ReadSoundOptions {
  /** Samples a second of the result. */
  readonly rate: number;
  /** What comes later is left out. */
  readonly seconds: number;
}

/** Half an hour of CD sound. */
const LARGEST = 2 ** 28;
/** What lies behind the end but reaches into the resampling filter; more than it ever is. */
const MARGIN_SECONDS = 2;

/**
 * The beginning of a sound file: the mean of its channels, at the rate that is asked for.
 *
 * @throws {FileFormatError} If it is no WAV file, damaged, not there, or its rate cannot be one of sound.
 */
export async function readSound(path: string, { rate, seconds }: ReadSoundOptions): Promise<Float32Array> {
  const { channels, sampleRate } = decodeWav(await readWholeFile(path, LARGEST), path);
  const most = (seconds + MARGIN_SECONDS) * sampleRate;
  const samples = monoMix(channels.map((channel) => channel.subarray(0, most)));
  const length = Math.min(seconds * rate, Math.ceil((samples.length * rate) / sampleRate));
  try {
    return resample(samples, { from: sampleRate, to: rate, length });
  } catch (error) {
    if (error instanceof OptionError) throw new FileFormatError(path, error.message, { cause: error });
    throw error;
  }
}
