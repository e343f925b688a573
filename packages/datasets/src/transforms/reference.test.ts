import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeWav, openNpy, readImage } from '@g2d/formats/node';
import { describe, expect, it } from 'vitest';
import { fixedFrames } from './frame-choice.js';
import { logSpectrogram } from './log-spectrogram.js';
import { featureStatistics, normalizePixels, standardize, type ChannelStatistics } from './normalize.js';
import { resample } from './resample.js';
import { resize, type Box, type ResizeOptions } from './resize.js';
import { clipToUnit, monoMix, repeatedPiece } from './waveform.js';

// From the files of three datasets to the tensors that the released loaders make; test/fixtures/transforms/NOTICE.txt.
const fixtures = fileURLToPath(new URL('../../../../test/fixtures/transforms', import.meta.url));
const json = (path: string): unknown => JSON.parse(readFileSync(join(fixtures, path), 'utf8'));
const npy = (path: string): ArrayLike<number> => openNpy(join(fixtures, path)).all();

interface GoldenArray {
  readonly shape: readonly number[];
  readonly mean: number;
  readonly std: number;
  readonly l2: number;
  readonly min: number;
  readonly max: number;
  /** Flat index, value. */
  readonly positions: readonly (readonly [number, number])[];
}

function expectGolden(actual: Float32Array, golden: GoldenArray, tolerance: number): void {
  expect(actual).toHaveLength(golden.shape.reduce((product, axis) => product * axis, 1));
  for (const [index, value] of golden.positions) {
    expect(Math.abs((actual[index] as number) - value), `position ${index}`).toBeLessThanOrEqual(tolerance);
  }
  const mean = actual.reduce((sum, value) => sum + value, 0) / actual.length;
  const l2 = Math.sqrt(actual.reduce((sum, value) => sum + value * value, 0));
  expect(Math.abs(mean - golden.mean)).toBeLessThanOrEqual(tolerance);
  expect(Math.abs(l2 / golden.l2 - 1)).toBeLessThanOrEqual(tolerance);
  expect(Math.abs(actual.reduce((a, b) => Math.min(a, b)) - golden.min)).toBeLessThanOrEqual(tolerance);
  expect(Math.abs(actual.reduce((a, b) => Math.max(a, b)) - golden.max)).toBeLessThanOrEqual(tolerance);
}

/** `[H, W, C]` each → `[C, T, H, W]`, as the goldens are. */
function channelsFirst(frames: readonly Float32Array[]): Float32Array {
  const plane = (frames[0] as Float32Array).length / 3;
  const tensor = new Float32Array(3 * frames.length * plane);
  frames.forEach((frame, t) => {
    frame.forEach((value, i) => {
      tensor[((i % 3) * frames.length + t) * plane + Math.floor(i / 3)] = value;
    });
  });
  return tensor;
}

const IMAGENET: ChannelStatistics = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** File → resized 8-bit picture and its checksum. */
async function picture(
  path: string,
  options: Partial<ResizeOptions> = {},
): Promise<{ readonly pixels: Uint8Array; readonly sha256: string }> {
  const pixels = resize(await readImage(join(fixtures, path)), { height: 224, width: 224, ...options });
  return { pixels, sha256: createHash('sha256').update(pixels).digest('hex') };
}

describe('CREMA-D', () => {
  const golden = json('cremad/expected.json') as {
    readonly clips: readonly {
      readonly stem: string;
      readonly resampledSamples: number;
      readonly waveform: GoldenArray;
      readonly spectrogram: GoldenArray & { readonly bands: Readonly<Record<'A' | 'B' | 'C', number>> };
    }[];
    readonly images: readonly {
      readonly file: string;
      readonly frames?: number;
      readonly frameIndex?: number;
      readonly box?: Box;
      readonly flip?: boolean;
      readonly sha256: string;
      readonly tensor: GoldenArray;
    }[];
  };
  /** First bin of the bands A, B and C, and the end: bins of 43 Hz; below 7 kHz, to 8 kHz, above. */
  const BANDS = { A: [0, 163], B: [163, 187], C: [187, 257], all: [0, 257] } as const;
  const FRAMES = 188;
  const threeSeconds = (waveform: Float32Array): Float32Array =>
    clipToUnit(repeatedPiece(waveform, { length: Math.min(3 * waveform.length, 66_150) }));
  const spectrogramOf = (waveform: Float32Array): Float32Array =>
    logSpectrogram(threeSeconds(waveform), { frameLength: 512, hop: 353 });
  const waveformOf = (stem: string): Float32Array => {
    const path = `cremad/root/AudioWAV/${stem}.wav`;
    const { channels, sampleRate } = decodeWav(readFileSync(join(fixtures, path)), path);
    return resample(monoMix(channels), { from: sampleRate, to: 22_050 });
  };
  const band = (values: ArrayLike<number>, name: keyof typeof BANDS): number[] =>
    Array.from(values).slice(BANDS[name][0] * FRAMES, BANDS[name][1] * FRAMES);
  const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

  it('a spectrogram of the reference’s own waveform agrees to 2e-6', () => {
    const waveform = Float32Array.from(npy('cremad/golden/train0_wave22050.npy'));
    const spectrogram = spectrogramOf(waveform);
    const expected = npy('cremad/golden/train0_spec.npy');
    expect(spectrogram).toHaveLength(expected.length);
    const most = spectrogram.reduce(
      (worst, x, i) => Math.max(worst, Math.abs(x - (expected[i] as number))),
      0,
    );
    expect(most).toBeLessThan(2e-6);
  });

  it('resampling differs from soxr_hq by less than a quarter of the allowed', () => {
    const spectrogram = spectrogramOf(waveformOf('1001_DFA_ANG_XX'));
    const expected = npy('cremad/golden/train0_spec.npy');
    const differences = spectrogram.map((x, i) => Math.abs(x - (expected[i] as number)));
    const below = band(differences, 'A').sort((a, b) => a - b);
    // Allowed: 0.005, 0.05, 1.5; 1.5; 0.7; 0.3.
    expect(mean(below)).toBeLessThan(0.001);
    expect(below[Math.floor(0.99 * below.length)]).toBeLessThan(0.0125);
    expect(below.at(-1)).toBeLessThan(0.375);
    expect(mean(band(differences, 'B'))).toBeLessThan(0.4);
    expect(mean(band(differences, 'C'))).toBeLessThan(0.17);
    expect(mean(band(differences, 'all'))).toBeLessThan(0.075);
  });

  it.each(golden.clips)('$stem: resampled sound and its spectrogram', ({ stem, ...expected }) => {
    const waveform = waveformOf(stem);
    expect(waveform).toHaveLength(expected.resampledSamples);
    expectGolden(waveform, expected.waveform, 0.006);
    const spectrogram = spectrogramOf(waveform);
    expect(spectrogram).toHaveLength(257 * FRAMES);
    const close = expected.spectrogram.positions.filter(
      ([index, value]) =>
        index >= BANDS.A[1] * FRAMES || Math.abs((spectrogram[index] as number) - value) < 0.08,
    );
    expect(close.length).toBeGreaterThanOrEqual(19);
    expect(Math.abs(mean(band(spectrogram, 'A')) - expected.spectrogram.bands.A)).toBeLessThan(0.001);
    expect(Math.abs(mean(band(spectrogram, 'C')) - expected.spectrogram.bands.C)).toBeLessThan(0.17);
  });

  it.each(golden.images.filter(({ frames }) => frames !== undefined))(
    '$file is the frame of $frames that the reference takes',
    ({ frames, frameIndex }) => {
      expect(fixedFrames(frames as number, 1)).toEqual([frameIndex]);
    },
  );

  it.each(golden.images)('$file, box $box, flip $flip', async ({ file, sha256, tensor, ...options }) => {
    const resized = await picture(`cremad/${file}`, {
      ...(options.box && { box: options.box }),
      flip: options.flip ?? false,
    });
    expect(resized.sha256).toBe(sha256);
    expectGolden(channelsFirst([normalizePixels(resized.pixels, IMAGENET)]), tensor, 1e-5);
  });
});

describe('VGGSound', () => {
  const golden = json('vggsound/expected.json') as {
    readonly clips: readonly {
      readonly audio: string;
      readonly channels: number;
      readonly samples: number;
      readonly start: number;
      readonly frames: number;
      readonly frameIndexes: readonly number[];
      readonly frameFiles: readonly string[];
      readonly spectrogram: GoldenArray & {
        readonly decimated: { readonly file: string; readonly steps: readonly [number, number] };
      };
      readonly images: { readonly sha256: readonly string[]; readonly tensor: GoldenArray };
    }[];
  };

  it.each(golden.clips)('$audio: spectrogram from second $start / 16000', ({ audio, ...expected }) => {
    const { channels, sampleRate } = decodeWav(readFileSync(join(fixtures, 'vggsound', audio)), audio);
    expect([channels.length, channels[0]?.length, sampleRate]).toEqual([
      expected.channels,
      expected.samples,
      16_000,
    ]);
    const piece = repeatedPiece(monoMix(channels), { start: expected.start, length: 80_000 });
    const spectrogram = logSpectrogram(clipToUnit(piece), { frameLength: 256, hop: 128 });
    expectGolden(spectrogram, expected.spectrogram, 1e-5);
    const { file, steps } = expected.spectrogram.decimated;
    const decimated = npy(`vggsound/${file}`);
    let at = 0;
    for (let bin = 0; bin < 129; bin += steps[0]) {
      for (let t = 0; t < 626; t += steps[1]) {
        expect(Math.abs((spectrogram[bin * 626 + t] as number) - (decimated[at++] as number))).toBeLessThan(
          2e-6,
        );
      }
    }
    expect(at).toBe(decimated.length);
  });

  it.each(golden.clips)('$audio: three frames', async ({ frames, frameIndexes, frameFiles, images }) => {
    expect(fixedFrames(frames, 3)).toEqual(frameIndexes);
    const resized = await Promise.all(frameFiles.map((file) => picture(`vggsound/${file}`)));
    expect(resized.map(({ sha256 }) => sha256)).toEqual(images.sha256);
    const tensors = resized.map(({ pixels }) => normalizePixels(pixels, IMAGENET));
    expectGolden(channelsFirst(tensors), images.tensor, 1e-5);
  });
});

describe('MIS-ME', () => {
  interface Rows {
    readonly rows: readonly (readonly (number | null)[])[];
    readonly standardized: readonly (readonly number[])[];
  }
  const golden = json('misme/expected.json') as {
    readonly imageMean: readonly number[];
    readonly imageStd: readonly number[];
    readonly images: readonly {
      readonly file: string;
      readonly size: readonly [number, number];
      readonly mode: string;
      readonly sha256: string;
      readonly tensor: GoldenArray;
    }[];
    readonly table: {
      readonly mean: readonly number[];
      readonly std: readonly number[];
      readonly train: Rows;
      readonly test: Rows;
    };
  };

  it.each(golden.images)('$file, $mode $size', async ({ file, sha256, tensor }) => {
    const resized = await picture(`misme/${file}`);
    expect(resized.sha256).toBe(sha256);
    const normalized = normalizePixels(resized.pixels, { mean: golden.imageMean, std: golden.imageStd });
    expectGolden(channelsFirst([normalized]), tensor, 1e-5);
  });

  it('standardizes the table with the statistics of the training rows', () => {
    const { mean, std, train, test } = golden.table;
    const flat = ({ rows }: Rows): number[] => rows.flat().map((value) => value ?? Number.NaN);
    const statistics = featureStatistics(flat(train), mean.length);
    mean.forEach((expected, feature) => {
      expect(Math.abs((statistics.mean[feature] as number) - expected)).toBeLessThan(1e-12);
      expect(Math.abs((statistics.std[feature] as number) - (std[feature] as number))).toBeLessThan(1e-12);
    });
    for (const part of [train, test]) {
      const standardized = standardize(flat(part), statistics);
      part.standardized.flat().forEach((expected, i) => {
        expect(Math.abs((standardized[i] as number) - expected), `value ${i}`).toBeLessThan(2e-6);
      });
    }
  });
});
