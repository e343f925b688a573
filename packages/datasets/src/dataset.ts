/** Which part of the data. */
export type Split = 'train' | 'validation' | 'test';

/** One labelled example. */
export interface Sample<M extends string> {
  /** Stable over runs and machines; the key of everything cached per sample. */
  readonly id: string;
  /** Class id in [0, C). */
  readonly label: number;
  /** One array per modality, channels last, of the dataset's `shapes`. Fresh: the caller may change them. */
  readonly inputs: Readonly<Record<M, Float32Array>>;
}

/** Labelled examples with the same modalities, read one at a time. */
export interface MultimodalDataset<M extends string> {
  readonly name: string;
  readonly split: Split;
  readonly modalities: readonly M[];
  /** Shape of one sample, channels last: `[H, W, 1]`. */
  readonly shapes: Readonly<Record<M, readonly number[]>>;
  readonly classNames: readonly string[];
  readonly size: number;
  /** @param index In [0, size). */
  sample(index: number): Promise<Sample<M>>;
  /** Gives back files and memory. Samples cannot be read afterwards. */
  close(): void | Promise<void>;
}
