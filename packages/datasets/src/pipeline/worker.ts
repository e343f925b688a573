// The entry point of a worker thread. It opens the dataset again and reads samples into shared memory.
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { OptionError } from '@g2d/core';
import type { MultimodalDataset } from '@g2d/core';
import {
  rowCounter,
  slotRow,
  type ReadRow,
  type ReadTask,
  type WorkerAnswer,
  type WorkerData,
} from './messages.js';
import { openSource } from './open-source.js';
import { readSample } from './read-sample.js';
import { toSent } from './sent-error.js';

/** Rows that one worker reads at a time: what one waits for (a file, decoding in libuv's threads) the other uses. */
const LANES = 2;

const port = parentPort as MessagePort;
const opened = openSource((workerData as WorkerData).source);
// Reported with the first batch.
opened.catch(() => {});

let last = Promise.resolve();
port.on('message', (task: ReadTask) => {
  last = last.then(() => answer(task));
});

async function answer(task: ReadTask): Promise<void> {
  let reply: WorkerAnswer;
  try {
    const dataset = await opened;
    assertSame(dataset, task);
    const rows: ReadRow[] = [];
    await Promise.all(Array.from({ length: LANES }, () => readRows(dataset, task, rows)));
    reply = { id: task.id, rows };
  } catch (error) {
    reply = { id: task.id, fatal: toSent(error) };
  }
  const arrays =
    'rows' in reply ? reply.rows.flatMap((row) => ('inputs' in row ? Object.values(row.inputs) : [])) : [];
  port.postMessage(
    reply,
    arrays.map((array) => array.buffer),
  );
}

/** Other samples, or another order, would be trained on under the wrong ids. */
function assertSame({ name, ids: found }: MultimodalDataset<string>, { indices, ids }: ReadTask): void {
  indices.forEach((index, i) => {
    if (found[index] !== ids[i]) {
      throw new OptionError(
        `sample ${index} of ${name} is "${found[index]}" there and "${ids[i]}" here. The same options must give the same samples in the same order.`,
        { option: 'source', value: found[index], accepted: String(ids[i]) },
      );
    }
  });
}

async function readRows(
  dataset: MultimodalDataset<string>,
  { indices, request, slot, blocks }: ReadTask,
  rows: ReadRow[],
): Promise<void> {
  const counter = rowCounter(slot);
  for (;;) {
    const row = Atomics.add(counter, 0, 1);
    if (row >= indices.length) return;
    const reading = await readSample(dataset, indices[row] as number, request);
    if (!reading.sample) {
      rows.push({ row, error: toSent(reading.error) });
      continue;
    }
    const { label, present, inputs } = reading.sample;
    const free: Record<string, Float32Array<ArrayBuffer>> = {};
    for (const modality of request.modalities) {
      const block = blocks[modality];
      const values = inputs[modality] as Float32Array;
      // A copy, because what is transferred is lost to the dataset, which may have handed out a part of something larger.
      if (block === undefined) free[modality] = new Float32Array(values);
      else slotRow(slot, block, row).set(values);
    }
    rows.push({ row, label, present, inputs: free });
  }
}
