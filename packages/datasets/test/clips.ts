// What the tests of the datasets of clips share.
import { createHash } from 'node:crypto';
import { G2DError, type MultimodalDataset } from '@g2d/core';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'vitest';
import { batches } from '../src/batches.js';

/** Modality → checksum; comparing the numbers themselves one by one takes long. */
export const digest = (inputs: Readonly<Record<string, ArrayLike<number>>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(inputs).map(([modality, values]) => {
      const { buffer } = Float32Array.from(values);
      return [modality, createHash('sha256').update(new Uint8Array(buffer)).digest('hex')];
    }),
  );

/** The message with which a promise is refused. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(G2DError.isInstance(error), String(error)).toBe(true);
  return (error as Error).message;
}

/** Names, labels and checksums of the batches of one epoch of training. */
export async function readEpoch(
  dataset: MultimodalDataset<'audio' | 'video'>,
  workers: number,
): Promise<unknown[]> {
  const values: unknown[] = [];
  const options = { batchSize: 2, seed: 5, shuffle: true, transform: 'train', workers } as const;
  for await (const batch of batches(dataset, options)) {
    values.push(
      batch.ids,
      Array.from(await batch.labels.data()),
      digest({ audio: await batch.inputs.audio.data(), video: await batch.inputs.video.data() }),
    );
    tf.dispose(batch);
  }
  return values;
}
