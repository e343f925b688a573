import type { RandomStream } from './random.js';

/** Which split of the data. */
export type Split = 'train' | 'validation' | 'test';

/** What labels are: class ids, numbers to predict, or sets of class ids. */
export const TASKS = ['classification', 'regression', 'multi-label'] as const;

/** What labels are: class ids, numbers to predict, or sets of class ids. */
export type Task = (typeof TASKS)[number];

/** A class id in [0, C), the target of a regression, or of a multi-label sample the ids of its classes: none, one or more, each once. */
export type Label = number | readonly number[];

/** How the output z of a regression becomes its value: sigmoid(z), in (0, 1), or z itself. */
export type RegressionOutput = 'sigmoid' | 'identity';

/** One labelled example. */
export interface Sample<M extends string> {
  /** Stable over runs and machines; the key of everything cached per sample. */
  readonly id: string;
  readonly label: Label;
  /**
   * One array per modality that was asked for, channels last, of the dataset's `shapes`; an axis of free length follows from
   * the array's own length, at least one step. Fresh: the caller may change them.
   */
  readonly inputs: Readonly<Record<M, Float32Array>>;
  /**
   * Which modalities the sample really has, whichever were asked for; absent: all. The input of a missing modality is zeros,
   * one step of them where the length is free.
   */
  readonly present?: Readonly<Record<M, boolean>>;
}

/** How a sample is read. */
export interface SampleOptions<M extends string> {
  /** The modalities to read; the others' files are not touched. Default: all. None: only id, label and `present`. */
  readonly modalities?: readonly M[];
  /**
   * The stream of this sample's training augmentation, one for each modality so that leaving one out changes nothing for the
   * others. Default: no augmentation; what the test transform of a dataset draws at random comes from the sample's id then.
   */
  random?(modality: M): RandomStream;
}

/** How a worker thread opens the same dataset again: it calls `module`'s export `name` with `options`. */
export interface DatasetSource {
  /** URL or package name of an ES module. */
  readonly module: string;
  /** A function that takes `options` and gives a `MultimodalDataset`, or a promise of one: the same samples in the same order. */
  readonly name: string;
  /** Anything that `structuredClone` copies. */
  readonly options: unknown;
}

/**
 * What is done to the numbers of a modality before a network gets them, without augmentation. Plain data: whoever uses an exported model
 * has to do the same, and finds it there.
 */
export interface Preprocessing {
  /** What the numbers are at first, and whatever the other fields cannot say, in words and in order. */
  readonly from: string;
  /** Of pictures: what they are resized to. */
  readonly size?: readonly [height: number, width: number];
  /** Of sound: samples a second. */
  readonly sampleRate?: number;
  /** At last (x / `divideBy` − `mean`) / `std`; mean and std by the last axis. Default: 1, zeros, ones. */
  readonly divideBy?: number;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
}

/** Labelled examples with the same modalities, read one at a time. */
export interface MultimodalDataset<M extends string> {
  readonly name: string;
  readonly split: Split;
  readonly task: Task;
  readonly modalities: readonly M[];
  /** Shape of one sample, channels last: `[H, W, 1]`; `null` for a first axis of free length: `[null, D]`. */
  readonly shapes: Readonly<Record<M, readonly (number | null)[]>>;
  /** By class id; empty for a regression. */
  readonly classNames: readonly string[];
  /** The samples' ids, by index. */
  readonly ids: readonly string[];
  readonly size: number;
  /**
   * The samples' labels, by index. Absent where they are known only once a sample is read; then whoever has to know a split again
   * looks at the labels of some samples.
   */
  readonly labels?: ArrayLike<Label>;
  /** The modalities whose input depends on `SampleOptions.random`. Absent: none. */
  readonly augmented?: readonly M[];
  /** The modalities that samples can lack: batches have a presence mask for each of them. Absent: none. */
  readonly incomplete?: readonly M[];
  /** By modality; absent where nobody has said it. */
  readonly preprocessing?: Readonly<Partial<Record<M, Preprocessing>>>;
  /** For worker threads; absent where a dataset cannot be opened a second time. */
  readonly source?: DatasetSource;
  /**
   * Reads one sample.
   *
   * @param index In [0, size).
   */
  sample(index: number, options?: SampleOptions<M>): Promise<Sample<M>>;
  /**
   * The files that an input is read from: what is kept of it elsewhere is read again once one of them has another size or time.
   * Absent where nobody knows them.
   */
  files?(index: number, modality: M): readonly string[];
  /** Gives back files and memory. Samples cannot be read afterwards. */
  close(): void | Promise<void>;
}
