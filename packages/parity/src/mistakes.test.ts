// Parity cases are worth as much as the mistakes that they notice: here are some, made on purpose.
import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Fusion, FusionOptions } from '@g2d/core';
import { filesOf } from '../test/parity-files.js';
import type { ParityCase, TrainCase } from './case.js';
import { exceeds, ratio, type Check } from './compare.js';
import { EncoderPool } from './encoder-pool.js';
import { acceptable } from './judge.js';
import { loadCase, runCase, type LoadedParityCase } from './run-case.js';

const mistake = vi.hoisted(() => ({ is: '' as '' | 'epsilon' | 'bias' | 'temperature' }));
beforeEach(() => {
  mistake.is = '';
});

vi.mock('@g2d/encoders', async (original) => {
  const encoders = await original<typeof import('@g2d/encoders')>();
  const resnet18 = (options: Parameters<typeof encoders.resnet18>[0]) => {
    const encoder = encoders.resnet18(options);
    for (const layer of encoder.layers) {
      if (mistake.is === 'epsilon' && 'epsilon' in layer) layer.epsilon = 1e-3;
    }
    return encoder;
  };
  return { ...encoders, resnet18 };
});

vi.mock('@g2d/fusion', async (original) => {
  const fusions = await original<typeof import('@g2d/fusion')>();
  const concatFusion = <const M extends string>(options: FusionOptions<M>): Fusion<M> => {
    const fusion = fusions.concatFusion(options);
    const half = () => tf.div(fusion.layers[0]!.layer.weights[1]!.read(), 2);
    return {
      ...fusion,
      apply: (features, pass) => {
        const outputs = fusion.apply(features, pass);
        const whole = Object.entries<tf.Tensor2D>(outputs.unimodalLogits).map(
          ([modality, logits]) =>
            [modality, mistake.is === 'bias' ? tf.add(logits, half()) : logits] as const,
        );
        return { ...outputs, unimodalLogits: Object.fromEntries(whole) as typeof outputs.unimodalLogits };
      },
    };
  };
  return { ...fusions, concatFusion };
});

vi.mock('@g2d/distill', async (original) => {
  const distill = await original<typeof import('@g2d/distill')>();
  const logitDistillationLoss: typeof distill.logitDistillationLoss = (teacher, student, options = {}) => {
    const loss = distill.logitDistillationLoss(teacher, student, options);
    return mistake.is === 'temperature' ? tf.div(loss, (options.temperature ?? 1) ** 2) : loss;
  };
  return { ...distill, logitDistillationLoss };
});

const pool = new EncoderPool();
beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

/** Runs a public case that was changed after it was read. */
async function run<C extends ParityCase>(
  name: string,
  { change = (given) => given, encoders = pool }: { change?: (given: C) => C; encoders?: EncoderPool } = {},
) {
  const loaded = loadCase(filesOf(name)) as LoadedParityCase;
  return runCase({ ...loaded, parityCase: change(loaded.parityCase as C) }, encoders);
}

const firstExcess = (checks: readonly Check[]): Check | undefined => checks.find(exceeds);

describe('a mistake is noticed:', () => {
  it('epsilon of batch normalization 1e-3 in place of 1e-5', async () => {
    mistake.is = 'epsilon';
    const { status, checks } = await run('encoder-audio', { encoders: new EncoderPool() });
    expect(status).toBe('fail');
    expect(firstExcess(checks)?.key).toBe('evalBefore.first8');
    expect(Math.max(...checks.map(ratio))).toBeGreaterThan(1000);
  });

  it('bias of concatenation fusion not halved in the unimodal logits', async () => {
    mistake.is = 'bias';
    const { status, checks } = await run('joint-concat');
    expect(status).toBe('fail');
    expect(firstExcess(checks)?.key).toBe('steps[0].lossUnimodalAudio');
    // Nothing else depends on them in joint training.
    expect(checks.filter(exceeds).every(({ key }) => /Unimodal|logits(Audio|Visual)|score/.test(key))).toBe(
      true,
    );
  });

  it('T² forgotten in the distillation of logits', async () => {
    mistake.is = 'temperature';
    const { status, checks } = await run('losses');
    expect(status).toBe('fail');
    expect(firstExcess(checks)?.key).toBe('tables[0].distill[1].audio.value');
  });

  it('a window that ends one epoch early', async () => {
    const { status, checks } = await run<TrainCase>('ogm-late', {
      change: (given) => ({ ...given, ogm: { ...given.ogm!, window: [0, 49] } }),
    });
    expect(status).toBe('fail');
    expect(checks.filter((check) => exceeds(check) && check.origin !== 'gradient')).toMatchObject([
      { key: 'steps[1].inWindow', origin: 'exact' },
    ]);
  });

  it('weight decay missing: inconclusive in one case, but in every case', async () => {
    const withoutDecay = (given: TrainCase): TrainCase => ({
      ...given,
      optimizer: { ...given.optimizer, weightDecay: 0 },
    });
    const reports = [
      await run('joint-late', { change: withoutDecay }),
      await run('joint-concat', { change: withoutDecay }),
    ];
    for (const { status, checks } of reports) {
      expect(status).toBe('inconclusive');
      expect(firstExcess(checks)?.key).toMatch(/^parameters\./);
    }
    expect(acceptable(reports.map(({ status }) => status))).toBe(false);
  });
});
