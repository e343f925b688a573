import { existsSync } from 'node:fs';
import { DatasetNotFoundError, perModality, type MultimodalDataset, type Split } from '@g2d/core';
import { z } from 'zod';
import { assertSampleIndex } from '../sample-index.js';
import { splitByFraction } from '../splits.js';
import { featureStatistics, standardize } from '../transforms/normalize.js';
import { AXES, EXERCISES, readRecordings, watchFile, type Recording } from './recordings.js';

/** Options of `watch`. */
export const watchOptions = z.strictObject({
  root: z.string().describe('the folder of `watch.npz`: `data/watch` in the repository'),
  steps: z
    .int()
    .min(1)
    .max(947)
    .default(100)
    .describe(
      'of a sample, 50 a second: recordings are cut into windows, and what is left at their end is not used. The shortest recording has 947',
    ),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(0)
    .describe('of the split: 6 / 2 / 2 subjects, at random'),
});

/** Settings of `watch`. */
export type WatchOptions = z.input<typeof watchOptions> & { readonly split: Split };

export const LICENCE = 'BSD-3-Clause (David M. Burns, seglearn)';
export const HOW_TO_GET =
  'The file lies in `data/watch/` of the g2d repository, with its licence and checksum; give that folder.';
export const MODALITIES = ['acceleration', 'rotation'] as const;
type Sensor = (typeof MODALITIES)[number];

const FRACTIONS = { train: 0.6, validation: 0.2, test: 0.2 } as const;
/** The first axis of each sensor. */
const FIRST: Readonly<Record<Sensor, number>> = { acceleration: 0, rotation: 3 };
const WIDTH = 3;

interface Window {
  readonly id: string;
  readonly recording: Recording;
  /** Its first step. */
  readonly start: number;
}

export function openWatch(
  options: z.output<typeof watchOptions> & { readonly split: Split },
): MultimodalDataset<Sensor> {
  const { root, split, steps, seed } = options;
  const path = watchFile(root);
  if (!existsSync(path)) {
    throw new DatasetNotFoundError({ dataset: 'Watch', root, missing: [path], howToGet: HOW_TO_GET });
  }
  const recordings = readRecordings(root);
  const byName = new Map(recordings.map((recording) => [recording.name, recording]));
  const names = splitByFraction([...byName.keys()], {
    fractions: FRACTIONS,
    seed,
    groupOf: (name) => String((byName.get(name) as Recording).subject),
  });
  const of = (wanted: Split): readonly Recording[] =>
    names[wanted].map((name) => byName.get(name) as Recording);
  const training = joined(of('train').map(({ values }) => values));
  const statistics = perModality(MODALITIES, (sensor) =>
    featureStatistics(columns(training, sensor, 0, training.length / AXES), WIDTH),
  );
  const windows = of(split).flatMap((recording): Window[] =>
    Array.from({ length: Math.floor(recording.values.length / AXES / steps) }, (_, i) => ({
      id: `${recording.name}-${String(i).padStart(3, '0')}`,
      recording,
      start: i * steps,
    })),
  );
  const ids = windows.map(({ id }) => id);
  const size = windows.length;
  return {
    name: 'watch',
    split,
    task: 'classification',
    modalities: MODALITIES,
    shapes: perModality(MODALITIES, () => [steps, WIDTH]),
    classNames: [...EXERCISES],
    ids,
    labels: windows.map(({ recording }) => recording.exercise),
    size,
    preprocessing: perModality(MODALITIES, (sensor) => ({
      from: `${sensor === 'acceleration' ? 'ax, ay, az' : 'wx, wy, wz'} of a watch, 50 a second, as seglearn has them; mean and population standard deviation of the training subjects`,
      mean: [...statistics[sensor].mean],
      std: [...statistics[sensor].std],
    })),
    source: { module: '@g2d/datasets', name: 'watch', options },
    async sample(index, { modalities = MODALITIES } = {}) {
      assertSampleIndex(index, { split, size });
      const { id, recording, start } = windows[index] as Window;
      return {
        id,
        label: recording.exercise,
        inputs: perModality(modalities, (sensor) =>
          standardize(columns(recording.values, sensor, start, steps), statistics[sensor]),
        ),
      };
    },
    files: () => [path],
    close() {},
  };
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The three axes of a sensor, `[steps, 3]`, flat. */
function columns(values: Float64Array, sensor: Sensor, start: number, steps: number): Float64Array {
  return new Float64Array(steps * WIDTH).map(
    (_, i) => values[(start + Math.floor(i / WIDTH)) * AXES + FIRST[sensor] + (i % WIDTH)] as number,
  );
}
