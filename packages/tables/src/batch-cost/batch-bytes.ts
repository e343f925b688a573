import { datasets } from '@g2d/datasets';

/** What one batch takes in memory, in bytes: float32 inputs and int64 labels; with teachers, their features and logits. */
export interface BatchBytes {
  readonly batch: number;
  readonly teachers: number;
}

const FLOAT32 = 4;

/** The reference code's labels; TensorFlow.js has int32. */
const INT64 = 8;

/** Width of ResNet-18's features. */
const FEATURES = 512;

/**
 * Bytes of a batch with the shapes that a dataset is trained in, counted, not measured: what the published Table 10 calls memory.
 *
 * With the stored outputs of one teacher for each modality come B × 512 features and B × C logits each.
 *
 * @param name Of a dataset whose definition says how it is trained.
 * @param size B.
 * @see G2D, Table 10
 */
export function batchBytes(name: string, size: number): BatchBytes {
  const benchmark = datasets.find((dataset) => dataset.name === name)?.benchmark;
  if (!benchmark) throw new TypeError(`${name} has no shapes that it is trained in.`);
  const shapes = Object.values(benchmark.modalities);
  const values = shapes.reduce(
    (sum, { shape, length }) => sum + shape.reduce<number>((product, n) => product * (n ?? length ?? 0), 1),
    0,
  );
  return {
    batch: size * (values * FLOAT32 + INT64),
    teachers: size * shapes.length * (FEATURES + benchmark.classes) * FLOAT32,
  };
}

/** MB as the paper counts them: 2^20 bytes. */
export const megabytes = (bytes: number): number => bytes / 2 ** 20;
