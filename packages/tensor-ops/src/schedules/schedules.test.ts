import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cosineAnnealing } from './cosine-annealing.js';
import { learningRateAt } from './learning-rate-at.js';
import { linearDecay } from './linear-decay.js';
import { linearWarmUp } from './linear-warm-up.js';
import { stepDecay } from './step-decay.js';

// Made by test/golden/optimizers.py with PyTorch.
const { base, ...golden } = JSON.parse(
  readFileSync(new URL('../../test/golden/schedules.json', import.meta.url), 'utf8'),
) as { base: number } & Record<string, readonly number[]>;

const warmUp = { epochs: 4, start: 0.25 };
const schedules: Record<string, (epoch: number) => number> = {
  'StepLR(3, 0.5)': (epoch) => stepDecay(base, epoch, { every: 3, ratio: 0.5 }),
  'MultiStepLR([2, 3, 7], 0.1)': (epoch) => stepDecay(base, epoch, { after: [2, 3, 7] }),
  'CosineAnnealingLR(8, 0.05)': (epoch) => cosineAnnealing(base, epoch, { epochs: 8, min: 0.05 }),
  'LinearLR(0.25, 1, 4)': (epoch) => linearWarmUp(base, epoch, warmUp),
  'ChainedScheduler(LinearLR(0.25, 1, 4), StepLR(3, 0.5))': (epoch) =>
    linearWarmUp(stepDecay(base, epoch, { every: 3, ratio: 0.5 }), epoch, warmUp),
  'SequentialLR(LinearLR(0.25, 1, 4), CosineAnnealingLR(6), [4])': (epoch) =>
    linearWarmUp(cosineAnnealing(base, epoch - 4, { epochs: 6 }), epoch, warmUp),
};

describe('schedules', () => {
  it('have a test for every golden schedule', () => {
    expect(Object.keys(schedules)).toEqual(Object.keys(golden));
  });

  it.each(Object.keys(schedules))('give the rates of PyTorch’s %s', (name) => {
    const expected = golden[name] as readonly number[];
    expected.forEach((rate, i) => expect(schedules[name]!(i + 1)).toBeCloseTo(rate, 12));
  });

  it('drop after the milestone, not in it', () => {
    expect([42, 43, 50, 51].map((epoch) => stepDecay(0.05, epoch, { after: [42, 50] }))).toEqual(
      [0.05, 0.005, 0.005, 0.0005].map((rate) => expect.closeTo(rate, 12)),
    );
    expect(stepDecay(1, 200, { every: 200 })).toBe(1);
    expect(stepDecay(1, 201, { every: 200 })).toBe(0.1);
  });

  it('stay at the cosine’s minimum afterwards', () => {
    expect(cosineAnnealing(1, 100, { epochs: 10, min: 0.2 })).toBeCloseTo(0.2, 12);
  });

  it('fall linearly after some epochs, never to 0', () => {
    // As `lambda_rule` of MMIN with niter 2 and niter_decay 3: 1 − max(0, e − 2) / 4.
    const rates = [1, 2, 3, 4, 5, 6].map((epoch) => linearDecay(0.8, epoch, { constant: 2, epochs: 5 }));
    expect(rates).toEqual([0.8, 0.8, 0.6, 0.4, 0.2, 0.2].map((rate) => expect.closeTo(rate, 12)));
    expect(linearDecay(1, 1, { epochs: 1 })).toBe(0.5);
    const schedule = { type: 'linear', constant: 20, epochs: 100 } as const;
    expect(learningRateAt({ learningRate: 1, schedule }, 100)).toBeCloseTo(1 / 81, 12);
    expect(() => linearDecay(1, 1, { constant: 6, epochs: 5 })).toThrow(/`constant` is 6; .* from 0 to 5/);
    expect(() => linearDecay(1, 1, { epochs: 0 })).toThrow(/`epochs` is 0/);
  });

  it('refuse impossible lengths', () => {
    expect(() => stepDecay(1, 1, { every: 0 })).toThrow(/`every` is 0; it must be a whole number of epochs/);
    expect(() => cosineAnnealing(1, 1, { epochs: NaN })).toThrow(/`epochs` is NaN/);
    expect(() => linearWarmUp(1, 1, { epochs: 1.5 })).toThrow(/`epochs` is 1.5/);
  });
});
