import * as tf from '@tensorflow/tfjs';
import type { EpochRecord } from '@g2d/core';
import { readState, type SplitMetrics } from '@g2d/trainer';
import { lateFusion } from '@g2d/fusion';
import { beforeAll, describe, expect, it } from 'vitest';
import { both, modelWith, options, run, type Modality } from '../test/dense-toy.js';
import { blendWeights } from './blend-weights.js';
import { gradientBlending } from './gradient-blending.js';
import { separateLinearHeads } from './separate-heads.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const model = () => modelWith(separateLinearHeads(options));

describe('blendWeights', () => {
  it('is what was gained by the square of what was overfitted, by hand', () => {
    const before = { fused: { train: 2, validation: 2 }, a: { train: 2, validation: 2.5 } };
    // G 0.5 and 0.2; O (1.5 − 1.0) − 0 = 0.5 and (2.3 − 1.6) − 0.5 = 0.2: 2 and 5.
    const now = { fused: { train: 1, validation: 1.5 }, a: { train: 1.6, validation: 2.3 } };
    const weights = blendWeights(before, now)!;
    expect(weights.fused).toBeCloseTo(2 / 7, 10);
    expect(weights.a).toBeCloseTo(5 / 7, 10);
  });

  it('gives nothing to a head that gained nothing, and says nothing where none did', () => {
    const before = { a: { train: 1, validation: 1 }, b: { train: 1, validation: 1 } };
    expect(
      blendWeights(before, { a: { train: 0, validation: 2 }, b: { train: 0, validation: 0.5 } }),
    ).toEqual({
      a: 0,
      b: 1,
    });
    expect(blendWeights(before, before)).toBeUndefined();
  });

  it('is finite where nothing was overfitted', () => {
    const before = { a: { train: 1, validation: 1 }, b: { train: 1, validation: 1 } };
    const { a, b } = blendWeights(before, {
      a: { train: 0.5, validation: 0.5 },
      b: { train: 0.5, validation: 0.75 },
    })!;
    // 0.5 / 0.001² and 0.25 / 0.25².
    expect(a / b).toBeCloseTo(5e5 / 4, 3);
  });
});

/** Validation losses of every epoch, by head. */
const LOSSES = { fused: [3, 2, 1.5, 2], loud: [3, 2.5, 2.4, 3], quiet: [3, 3, 2.9, 3] };
const evaluate = async (epoch: number) => {
  const of = (head: keyof typeof LOSSES) => ({ accuracy: 0, loss: LOSSES[head][epoch - 1]! });
  return {
    validation: { fused: of('fused'), loud: of('loud'), quiet: of('quiet') } as unknown as SplitMetrics,
  };
};
const weightsOf = (log: readonly EpochRecord[]) =>
  log.map((record) => record['blendWeights'] as Record<Modality, number>);

describe('gradientBlending', () => {
  it('weighs each head by how its losses moved in the epochs before, from the log', async () => {
    const log = await run(model(), gradientBlending<Modality>({ every: 1 }), { epochs: 4, evaluate });
    const [first, second, third, fourth] = weightsOf(log);
    expect(first).toEqual({ loud: 1 / 3, quiet: 1 / 3 });
    expect(second).toEqual(first);
    const losses = (epoch: number) => {
      const { loss } = log[epoch - 1]!;
      const of = (head: keyof typeof LOSSES, name: string) => ({
        train: loss[name]!,
        validation: LOSSES[head][epoch - 1]!,
      });
      return { fused: of('fused', 'student'), loud: of('loud', 'loud'), quiet: of('quiet', 'quiet') };
    };
    const expected = blendWeights(losses(1), losses(2))!;
    expect(third).toEqual({ loud: expected.loud, quiet: 0 });
    const { loud, quiet } = blendWeights(losses(2), losses(3))!;
    expect(fourth).toEqual({ loud, quiet });
    expect(quiet).toBeGreaterThan(0);
  });

  it('estimates once in `every` epochs', async () => {
    const log = await run(model(), gradientBlending<Modality>({ every: 2 }), { epochs: 4, evaluate });
    const [first, second, third, fourth] = weightsOf(log);
    expect([second, third]).toEqual([first, first]);
    expect(fourth).not.toEqual(first);
  });

  it('adds up the losses by fixed weights, without a validation', async () => {
    const weights = { fused: 0.5, loud: 0.2, quiet: 2 };
    const log = await run(model(), gradientBlending<Modality>({ weights }));
    const { student, loud, quiet, total } = log[0]!.loss as Record<string, number>;
    expect(total).toBeCloseTo(0.5 * student! + 0.2 * loud! + 2 * quiet!, 5);
  });

  it('is joint training bit for bit where the fused loss alone counts', async () => {
    const [own, joint] = [model(), model()];
    const settings = { epochs: 2, optimizer: { learningRate: 0.1, momentum: 0.9, weightDecay: 1e-3 } };
    await run(own, gradientBlending<Modality>({ weights: { fused: 1, loud: 0, quiet: 0 } }), settings);
    await run(joint, { name: 'joint' }, settings);
    expect(readState(own)).toEqual(readState(joint));
  });

  it('leaves no tensors, and says what is wrong', async () => {
    const before = model();
    const tensors = tf.memory().numTensors;
    await run(before, gradientBlending<Modality>({ weights: { fused: 0, loud: 1, quiet: 0 } }));
    expect(tf.memory().numTensors).toBe(tensors);
    await expect(
      run(model(), gradientBlending<Modality>({ weights: { loud: 1, quiet: 1 } })),
    ).rejects.toThrow(
      /`weights` of Gradient-Blending has loud, quiet; it must have each of fused, loud, quiet once/,
    );
    await expect(run(model(), gradientBlending<Modality>())).rejects.toThrow(
      /"gradient-blending" reads the validation scores of every epoch/,
    );
    const alone = modelWith(lateFusion({ widths: { loud: 5 }, classes: 3, seed: 0 }));
    await expect(run(alone, gradientBlending({ weights: { fused: 1, loud: 1 } }))).rejects.toThrow(
      /"gradient-blending" needs 2 modalities or more/,
    );
    expect(() => gradientBlending({ weights: { fused: 0, [both[0]]: 0 } })).toThrow(/`weights` is/);
  });
});
