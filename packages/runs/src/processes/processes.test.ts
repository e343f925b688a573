import { describe, expect, it } from 'vitest';
import * as tf from '@tensorflow/tfjs';
import { toyModel } from '../../../trainer/test/toy.js';
import { inLockstep, lockstep } from '../../../trainer/test/lockstep.js';
import { toyConfig } from '../../test/toy-config.js';
import { parseConfig } from '../read-config.js';
import { assertSameWeights } from './drift.js';
import { fromFirst, inTurn, processesOver, together, type Processes } from './processes.js';
import { assertCanShare, assertSame } from './same.js';

const over = (allReduce: Processes['allReduce']): Processes =>
  processesOver(allReduce, { patiently: (wait) => wait(), close: () => {} });
/** What each of some processes comes to, or says it was. */
const ends = async <T>(count: number, body: (all: Processes, rank: number) => T | Promise<T>) =>
  (await lockstep<T>(count, (allReduce) => body(over(allReduce), allReduce.rank))).map((end) =>
    'error' in end ? (end.error as Error).message : end.value,
  );

describe('processes', () => {
  it('tell each other anything', async () => {
    const say = (rank: number) => ({ rank, values: Float32Array.of(rank, -0, NaN), nothing: undefined });
    const told = await inLockstep(3, (allReduce) => over(allReduce).tell(say(allReduce.rank)));
    expect(told).toEqual([0, 1, 2].map(() => [0, 1, 2].map(say)));
  });

  it('take what the first one finds', async () => {
    const asked: number[] = [];
    const found = await ends(3, (all, rank) =>
      fromFirst(all, () => {
        asked.push(rank);
        return { found: rank };
      }),
    );
    expect(found).toEqual([{ found: 0 }, { found: 0 }, { found: 0 }]);
    expect(new Set(asked)).toEqual(new Set([0]));
  });

  it('fail together, each with what was wrong and where', async () => {
    const body = (all: Processes, rank: number) =>
      together(all, async () => {
        if (rank === 1) throw new Error('The file is gone.');
        return rank;
      });
    expect(await ends(3, body)).toEqual([
      'Process 1 of 3 ended, and so do the others: The file is gone.',
      'The file is gone.',
      'Process 1 of 3 ended, and so do the others: The file is gone.',
    ]);
    const first = (all: Processes) =>
      fromFirst(all, () => {
        throw new Error('The folder is in use.');
      });
    expect(await ends(2, first)).toEqual([
      'The folder is in use.',
      'Process 0 of 2 ended, and so do the others: The folder is in use.',
    ]);
  });

  it('take turns after the first one', async () => {
    let written = false;
    const body = (all: Processes, rank: number) =>
      inTurn(all, () => {
        if (rank === 0) written = true;
        return written;
      });
    expect(await ends(2, body)).toEqual([true, true]);
  });
});

describe('weights', () => {
  it('are the same in all processes, or the run ends in all of them', async () => {
    const body = (moved: number) => (all: Processes, rank: number) => {
      const model = toyModel(['loud'], 0);
      const last = model.parameters.at(-1)!.variable;
      if (rank === 1) last.assign(tf.add(last, moved));
      assertSameWeights(all, model, 3);
    };
    expect(await ends(2, body(0))).toEqual([undefined, undefined]);
    const message = expect.stringMatching(
      /^After epoch 3 the weights of process 1 are not those of process 0, first in head\/loud\/bias: /,
    ) as string;
    expect(await ends(2, body(1e-6))).toEqual([message, message]);
  });
});

describe('what has to be the same', () => {
  const config = (changes: object = {}) => parseConfig(toyConfig(changes));
  const share = (configs: readonly ReturnType<typeof config>[]) =>
    ends(configs.length, (all, rank) => assertCanShare(configs[rank]!, all));

  it('is the configuration', async () => {
    const other = { optimizer: { type: 'sgd', learningRate: 0.2, momentum: 0.9, weightDecay: 1e-4 } };
    const message =
      'Process 1 of 2 has 0.2 for "optimizer.learningRate", but process 0 has 0.1. Start all with the same configuration.';
    expect(await share([config(), config(other)])).toEqual([message, message]);
    expect(await share([config(), config({ data: { workers: 1 } })])).toEqual([undefined, undefined]);
  });

  it('has batches that can be shared', async () => {
    const message =
      '"batchSize" is 20, which 3 processes cannot share equally. Set it to a multiple of 3: it is the size of the whole batch.';
    expect(await share([config(), config(), config()])).toEqual([message, message, message]);
    const skip = config({ data: { onError: 'skip' } });
    expect((await share([skip, skip]))[0]).toMatch(/^"data\.onError" is "skip", but 2 processes/);
  });

  it('is named with both sides', async () => {
    const body = (all: Processes, rank: number) => assertSame(all, { data: `d${rank}` });
    const message =
      'Process 1 of 2 has another data than process 0: d1 instead of d0. Start all with the same data and code.';
    expect(await ends(2, body)).toEqual([message, message]);
  });
});
