// The toy data, of which one process cannot read a sample, or never gets it: `"dataset": { "name": "module", "path": …, "options": … }`.
import toy from '../toy-dataset.js';

export default function open({
  split,
  fault,
  rank,
  after,
  other = false,
}: {
  readonly split: 'train' | 'validation' | 'test';
  readonly fault: 'throw' | 'stand' | 'none';
  /** Which process it happens to. */
  readonly rank: number;
  /** After how many training samples. */
  readonly after: number;
  /** Whether this process has other labels. */
  readonly other?: boolean;
}) {
  const dataset = toy({ split })!;
  const isHere = process.env['G2D_RANK'] === String(rank);
  let reads = 0;
  return {
    ...dataset,
    ...(other && isHere && { ids: dataset.ids.map((id) => `${id}*`) }),
    sample: async (...given: Parameters<typeof dataset.sample>) => {
      if (split === 'train' && isHere && ++reads > after) {
        if (fault === 'throw') throw new Error('The disk of process 1 is gone.');
        // The process lives, and its heart beats.
        if (fault === 'stand') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      }
      return dataset.sample(...given);
    },
  };
}
