import { checkKeys, perModality, type MultimodalDataset, type Split } from '@g2d/core';
import { assertSampleIndex } from '../sample-index.js';
import { logPowerSpectrogram } from '../transforms/log-power-spectrogram.js';
import { mixNoise, noiseGain } from '../transforms/mix-noise.js';
import { principalComponents, projectOntoComponents } from '../transforms/principal-components.js';
import { checkDegradation, DEGRADATION, type Degradation } from './degradation.js';
import { SPECTROGRAM, VALIDATION_ROWS } from './recipe.js';

/** What one pair of the small AV-MNIST is made from. */
export interface SmallAvMnistParts {
  /** 0 to 9. */
  readonly digit: number;
  /** `[28 · 28]`, 0 to 255. */
  readonly picture: Uint8Array;
  /** The spoken digit. */
  readonly speech: Float32Array;
  /** As long as `speech`. */
  readonly noise: Float32Array;
}

/** A split, and what its sounds are. */
export interface SmallAvMnistSplit extends MultimodalDataset<'audio' | 'image'> {
  /** The spoken digit in its noise, 8,000 Hz; not clipped. */
  sound(index: number): Float32Array;
}

const PIXELS = 28 * 28;
const SHAPES = { audio: [SPECTROGRAM.bins, SPECTROGRAM.frames, 1], image: [28, 28, 1] } as const;

/**
 * Splits of the small AV-MNIST from their parts, in memory: what `smallAvMnist` reads from its files, wherever the parts come from.
 *
 * @param options `splits`: the pairs, in the set's order. `componentsOf`: the pictures that the principal components are of, `[N, 784]`.
 * `imageComponents`, `signalToNoise`: as in `buildSmallAvMnist`.
 * @throws {OptionError} If an option is out of range.
 * @see `buildSmallAvMnist`
 */
export function smallAvMnistFromParts<S extends Split>(
  options: {
    readonly splits: Readonly<Record<S, readonly SmallAvMnistParts[]>>;
    readonly componentsOf: Uint8Array;
  } & Partial<Degradation>,
): Readonly<Record<S, SmallAvMnistSplit>> {
  const { splits, componentsOf, ...given } = checkKeys(
    options,
    { splits: true, componentsOf: true, imageComponents: true, signalToNoise: true },
    'smallAvMnistFromParts',
  );
  const degradation = { ...DEGRADATION, ...given };
  checkDegradation(degradation);
  const components = principalComponents(componentsOf, PIXELS, degradation.imageComponents);
  return perModality(Object.keys(splits) as S[], (split) =>
    inMemorySplit(split, splits[split], {
      image: ({ picture }) => scaled(projectOntoComponents(picture, components)),
      sound: ({ speech, noise }) =>
        mixNoise(speech, noise, noiseGain(speech, noise, degradation.signalToNoise)),
    }),
  );
}

function inMemorySplit(
  split: Split,
  pairs: readonly SmallAvMnistParts[],
  make: {
    readonly image: (pair: SmallAvMnistParts) => Float32Array;
    readonly sound: (pair: SmallAvMnistParts) => Float32Array;
  },
): SmallAvMnistSplit {
  const size = pairs.length;
  /** Made when they are first read: whoever looks at a part of a split does not wait for all of it. */
  const rows: Record<'audio' | 'image', Float32Array>[] = [];
  const rowOf = (index: number): Readonly<Record<'audio' | 'image', Float32Array>> => {
    const pair = pairs[index] as SmallAvMnistParts;
    return (rows[index] ??= {
      image: make.image(pair),
      audio: scaled(logPowerSpectrogram(make.sound(pair), SPECTROGRAM)),
    });
  };
  // As the files of the built set have them.
  const file = split === 'test' ? 'test' : 'train';
  const first = split === 'validation' ? VALIDATION_ROWS : 0;
  const ids = pairs.map((_, index) => `avmnist/${file}/${first + index}`);
  const labels = Uint8Array.from(pairs, ({ digit }) => digit);
  const modalities = ['audio', 'image'] as const;
  return {
    name: 'small-av-mnist',
    split,
    task: 'classification',
    modalities,
    shapes: SHAPES,
    classNames: Array.from({ length: 10 }, (_, digit) => String(digit)),
    size,
    ids,
    labels,
    async sample(index, { modalities: wanted = modalities } = {}) {
      assertSampleIndex(index, { split, size });
      const row = rowOf(index);
      return {
        id: ids[index] as string,
        label: labels[index] as number,
        inputs: perModality<'audio' | 'image', Float32Array>(wanted, (modality) => row[modality].slice()),
      };
    },
    sound(index) {
      assertSampleIndex(index, { split, size });
      return make.sound(pairs[index] as SmallAvMnistParts);
    },
    close() {},
  };
}

/** x / 255, of the numbers as the built set stores them. */
const scaled = (values: Uint8Array | Float64Array): Float32Array =>
  Float32Array.from(Float32Array.from(values), (value) => value / 255);
