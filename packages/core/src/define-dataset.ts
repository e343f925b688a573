import type { z } from 'zod';
import { component, FACTS, type Configurable, type Facts } from './component.js';
import type { InputShape } from './encoder.js';
import type { MultimodalDataset, Split, Task } from './dataset.js';
import { OptionError } from './errors.js';
import { shown } from './shown.js';
import { checkKeys } from './known-keys.js';
import { checkOptions, type OptionsPlace, type OptionsSchema, type OwnOptions } from './options.js';

const SPLITS: readonly Split[] = ['train', 'validation', 'test'];
// A text: a call would stay in every bundle, also in that of a package which opens no dataset.
const accepted = '"train", "validation", "test"';

/** What lies in a folder, next to what a dataset has as published. Plain data. */
export interface DatasetCheck {
  readonly dataset: string;
  readonly folder: string;
  readonly licence: string;
  readonly howToGet: string;
  /** What is counted → how many there are as published. */
  readonly expected: Readonly<Record<string, number>>;
  /** The same, as found. */
  readonly found: Readonly<Record<string, number>>;
  /** What is missing or broken, grouped by reason. */
  readonly problems: readonly { readonly reason: string; readonly ids: readonly string[] }[];
  /** Whether training on this folder is what was published. */
  readonly asPublished: boolean;
}

/** How a modality is made visible. */
export type View =
  /** Colours that were scaled as (v / 255 − mean) / std. `[H, W, 3]`, or frames. */
  | { readonly kind: 'pixels'; readonly mean: readonly number[]; readonly std: readonly number[] }
  /** Brightness, as it is stored. `[H, W, 1]` */
  | { readonly kind: 'picture' }
  /** Loudness by frequency and time, low frequencies first. `[F, T, 1]` */
  | { readonly kind: 'spectrogram' }
  /** Steps from left to right, features downwards, each feature by its own range. `[T, D]` */
  | { readonly kind: 'sequence' }
  /** Named numbers. `[D]` */
  | { readonly kind: 'features'; readonly names: readonly string[] }
  /** Many numbers without names, as bars from a line at 0. `[D]` */
  | { readonly kind: 'bars' };

/** One video and what is to be made of it. Absolute paths. */
export interface Clip {
  readonly id: string;
  readonly video: string;
  /** The folder that its frames go to. */
  readonly frames: string;
  /** The file that its sound goes to. */
  readonly sound: string;
}

/** A dataset of a published protocol as it is trained on: what `g2d bench step` measures without its files. */
export interface BenchmarkShapes {
  /** C, or 1 for a regression. */
  readonly classes: number;
  /** Modality → shape of one sample and the name of its encoder. The one whose encoder costs most first. */
  readonly modalities: Readonly<
    Record<string, { readonly shape: InputShape; readonly encoder: string; readonly length?: number }>
  >;
  /** What methods that modulate gradients touch. */
  readonly scope: 'conv' | 'encoder';
}

/** What a definition says beside its facts, its options and how it is opened. */
export interface DatasetParts<Options = unknown> {
  readonly task: Task;
  readonly modalities: readonly string[];
  /** Looks through the folder. */
  check?(options: Options, onProgress?: (share: number) => void): Promise<DatasetCheck>;
  /** The original videos of its samples, and the samples that have none: what `g2d data prepare` turns into frames and sound. */
  clips?(
    options: Options,
    from: { readonly framesPerSecond: number; readonly videos?: string },
  ): { readonly clips: readonly Clip[]; readonly withoutVideo: readonly string[] };
  /** The sound file of a sample, where there is one. */
  soundFile?(options: Options & { readonly split: Split }, id: string): string;
  /** How a modality is shown. Default: by its shape. */
  readonly views?: Readonly<Record<string, View>>;
  readonly benchmark?: BenchmarkShapes;
}

/** A dataset as whoever has only its name knows it. Its parts take options as `checkOptions` gives them. */
export interface AnyDataset extends Configurable, DatasetParts {
  readonly kind: 'dataset';
  /**
   * Opens one split.
   *
   * @throws {OptionError} If an option is wrong (`place` says where it stands), or there is no such split.
   * @throws {DatasetNotFoundError} If the data are not there; the message says how to get them.
   */
  make(split: Split, options: unknown, place?: OptionsPlace): Promise<MultimodalDataset<string>>;
}

/** A dataset: call it with the split and its options. */
export interface DatasetDefinition<
  M extends string = string,
  O extends OptionsSchema = OptionsSchema,
  D extends MultimodalDataset<M> = MultimodalDataset<M>,
> extends AnyDataset {
  (options: OwnOptions<O> & { readonly split: Split }): Promise<D>;
  readonly modalities: readonly M[];
  readonly options: O;
}

/**
 * Defines a dataset: this object is all that anybody has to know of it.
 *
 * @param definition `open`: gives one split, or nothing where the dataset has no such split; what it gives beside a `MultimodalDataset` callers get too.
 * @throws {OptionError} If the name is none, or label or summary are missing.
 * @example
 * export const leaves = defineDataset({
 *   name: 'leaves',
 *   label: 'Leaves',
 *   summary: 'photos and sounds of leaves, healthy or ill',
 *   task: 'classification',
 *   modalities: ['photo', 'sound'],
 *   options: z.strictObject({ root: z.string().describe('the folder of the data') }),
 *   open: ({ root, split }) => fromSamples({ … }),
 * });
 * const train = await leaves({ root: 'data/leaves', split: 'train' });
 */
export function defineDataset<
  const M extends string,
  O extends OptionsSchema,
  D extends MultimodalDataset<M> = MultimodalDataset<M>,
>(
  definition: Facts &
    DatasetParts<z.output<O>> & {
      readonly modalities: readonly M[];
      readonly options: O;
      readonly open: (
        options: z.output<O> & { readonly split: Split },
      ) => D | undefined | Promise<D | undefined>;
    },
): DatasetDefinition<M, O, D> {
  const { options, open, ...rest } = checkKeys(
    definition,
    {
      ...FACTS,
      options: true,
      open: true,
      task: true,
      modalities: true,
      check: true,
      clips: true,
      soundFile: true,
      views: true,
      benchmark: true,
    },
    'defineDataset',
  );
  const make = async (split: Split, given: unknown, place: OptionsPlace | string = rest.name): Promise<D> => {
    if (!SPLITS.includes(split)) {
      throw new OptionError(`\`split\` is ${shown(split)}; it can be ${accepted}.`, {
        option: 'split',
        value: split,
        accepted,
      });
    }
    const dataset = await open({ ...checkOptions(options, given, place), split });
    if (dataset) return dataset;
    throw new OptionError(`${rest.label} has no ${split} split.`, {
      option: 'split',
      value: split,
      accepted: 'a split that there is',
    });
  };
  const call = ({ split, ...own }: OwnOptions<O> & { readonly split: Split }): Promise<D> => make(split, own);
  return component(call, { kind: 'dataset' as const, ...rest, options, make });
}
