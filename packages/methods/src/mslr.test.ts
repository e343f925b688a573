import * as tf from '@tensorflow/tfjs';
import { lateFusion } from '@g2d/fusion';
import { readState, type SplitMetrics } from '@g2d/trainer';
import { beforeAll, describe, expect, it } from 'vitest';
import { modelWith, options, optimizer, run, type Modality } from '../test/dense-toy.js';
import { mslr } from './mslr.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const SCORES = { loud: [10, 20, 30, 60, 20, 35], quiet: [0, 0, 0, 5, 5, 5] };

/** Trains with accuracies from lists; gives the factors of every epoch. */
async function trained(method: Parameters<typeof run<Modality>>[1], { validated = true } = {}) {
  const model = modelWith(lateFusion(options));
  const log = await run(model, method, {
    epochs: 6,
    batchSize: 60,
    optimizer: { ...optimizer, momentum: 0.9 },
    ...(validated && {
      evaluate: async (epoch: number) => {
        const of = (m: Modality) => ({
          loss: 1 / (1 + SCORES[m][epoch - 1]!),
          accuracy: SCORES[m][epoch - 1]!,
        });
        return {
          validation: { fused: of('loud'), loud: of('loud'), quiet: of('quiet') } as unknown as SplitMetrics,
        };
      },
    }),
  });
  return { model, factors: log.map((record) => record['rateFactors'] as Record<Modality, number>) };
}

describe('mslr', () => {
  it('compares an epoch with those before it, by hand; a mean of 0 changes nothing', async () => {
    const { factors } = await trained(mslr({ memory: 2, factors: { loud: 2, quiet: 0.5 } }));
    // Known after two epochs; from then acc / mean of the two before it: 30 / 15, 60 / 25, 20 / 45.
    expect(factors.map(({ loud }) => loud / 2)).toEqual([1, 1, 1, 2, 2.4, expect.closeTo(4 / 9, 12)]);
    // 0 / 0 is no ratio, nor is 5 / 0; then 5 / 2.5.
    expect(factors.map(({ quiet }) => quiet / 0.5)).toEqual([1, 1, 1, 1, 1, 2]);
  });

  it('acts in its window, but remembers outside too', async () => {
    const { factors } = await trained(mslr({ memory: 2, epochs: [5, 5], factors: { loud: 2, quiet: 0.5 } }));
    expect(factors.map(({ loud }) => loud)).toEqual([1, 1, 1, 1, 4.8, 1]);
  });

  it('takes another modality’s score, as the released code for CREMA-D', async () => {
    const { factors } = await trained(mslr<Modality>({ memory: 2, scoreOf: { loud: 'quiet' } }));
    expect(factors.map(({ loud }) => loud)).toEqual(factors.map(({ quiet }) => quiet));
  });

  it('goes from the factors to 1, or keeps them, without a validation', async () => {
    const factors = { loud: 3, quiet: 0.5 };
    const smooth = await trained(mslr({ strategy: 'smooth', smoothEpochs: 4, factors }), {
      validated: false,
    });
    expect(smooth.factors.map(({ loud }) => loud)).toEqual([3, 2.5, 2, 1.5, 1, 1]);
    const keep = await trained(mslr({ strategy: 'keep', factors }), { validated: false });
    expect(keep.factors.at(-1)).toEqual(factors);
  });

  it('scales encoder and head of each modality, by hand', async () => {
    const start = readState(modelWith(lateFusion(options)));
    const [plain, scaled] = [modelWith(lateFusion(options)), modelWith(lateFusion(options))];
    await run(plain, { name: 'joint' }, { batchSize: 60 });
    await run(scaled, mslr({ strategy: 'keep', factors: { loud: 3, quiet: 1 } }), { batchSize: 60 });
    const [one, three] = [readState(plain), readState(scaled)];
    for (const name of ['loud/dense/kernel', 'loud/bn/gamma', 'head/loud/bias']) {
      const moved = (state: typeof one) =>
        Array.from(state[name]!.values, (value, i) => value - start[name]!.values[i]!);
      moved(three).forEach((change, i) => expect(change).toBeCloseTo(3 * moved(one)[i]!, 5));
    }
    expect(three['quiet/dense/kernel']).toEqual(one['quiet/dense/kernel']);
  });

  it('is joint training bit for bit with factors of 1', async () => {
    const plain = await trained({ name: 'joint' });
    const kept = await trained(mslr({ strategy: 'keep' }));
    expect(readState(kept.model)).toEqual(readState(plain.model));
  });

  it('says what is wrong', async () => {
    await expect(trained(mslr({ factors: { loud: 2 } }))).rejects.toThrow(
      /`factors` of MSLR has loud; it must have each of loud, quiet once/,
    );
    await expect(trained(mslr<Modality>({ scoreOf: { loud: 'silent' } }))).rejects.toThrow(
      /`scoreOf` of MSLR has silent/,
    );
    await expect(trained(mslr({}), { validated: false })).rejects.toThrow(
      /"mslr" reads the validation scores of every epoch/,
    );
    expect(() => mslr({ smoothEpochs: 3 })).toThrow(/`smoothEpochs` is 3; it must be left out unless/);
    expect(() => mslr({ strategy: 'keep', scoreOf: { a: 'b' } })).toThrow(/`scoreOf` is/);
    expect(() => mslr({ factors: { loud: 0 } })).toThrow(/factors/);
  });
});
