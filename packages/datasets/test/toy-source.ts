// A dataset that a worker can open again, for the tests of the pipeline.
import { setTimeout } from 'node:timers/promises';
import { perModality } from '@g2d/core';
import type { MultimodalDataset, Split } from '@g2d/core';

export type ToyModality = 'sound' | 'picture' | 'text';

const ALL: readonly ToyModality[] = ['sound', 'picture', 'text'];

export interface ToyOptions {
  readonly size: number;
  readonly split?: Split;
  /** Samples that cannot be read. */
  readonly broken?: readonly number[];
  /** Samples that kill the thread that reads them. */
  readonly deadly?: readonly number[];
  /** Samples that cannot be read the first time. */
  readonly flaky?: readonly number[];
  /** Milliseconds of every third sample. */
  readonly delay?: number;
  /** Goes before every id: another value is another dataset. */
  readonly prefix?: string;
  readonly unopenable?: boolean;
}

/**
 * Sample i: sound [i, i + 0.5], picture [[[−i]]], text 1 + i mod 4 steps of [i, step]; label i mod 3. Augmentation adds a
 * random number to each value of the picture.
 */
export function toy(options: ToyOptions): MultimodalDataset<ToyModality> {
  const { size, split = 'train', broken = [], deadly = [], flaky = [], delay = 0, prefix = '' } = options;
  if (options.unopenable) throw new Error('the folder is not there');
  const ids = Array.from({ length: size }, (_, i) => `${prefix}toy/${i}`);
  const failed = new Set<number>();
  return {
    name: 'toy',
    split,
    task: 'classification',
    modalities: ALL,
    shapes: { sound: [2], picture: [1, 1, 1], text: [null, 2] },
    classNames: ['a', 'b', 'c'],
    ids,
    size,
    augmented: ['picture'],
    source: { module: import.meta.url, name: 'toy', options },
    async sample(i, { modalities = ALL, random } = {}) {
      if (delay > 0 && i % 3 === 0) await setTimeout(delay);
      if (broken.includes(i)) throw Object.assign(new Error(`no file ${i}`), { code: 'ENOENT' });
      if (deadly.includes(i)) process.exit(3);
      if (flaky.includes(i) && !failed.has(i)) {
        failed.add(i);
        throw new Error(`not yet ${i}`);
      }
      const steps = 1 + (i % 4);
      const all = {
        sound: () => Float32Array.of(i, i + 0.5),
        picture: () => Float32Array.of(0 - i + (random?.('picture').uniform() ?? 0)),
        text: () =>
          Float32Array.from({ length: 2 * steps }, (_, at) => (at % 2 === 0 ? i : Math.floor(at / 2))),
      };
      return {
        id: ids[i] as string,
        label: i % 3,
        inputs: perModality(modalities, (modality) => all[modality]()),
      };
    },
    close() {},
  };
}
