import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { transformer } from '@g2d/encoders';
import { decodeSafetensors } from '@g2d/formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinySetup } from '../test/tiny-setup.js';
import { recordStep } from './record-step.js';
import type { StepSetup } from './step-setup.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});
const folder = mkdtempSync(join(tmpdir(), 'g2d-record-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'step.safetensors');

const modality = {
  shape: [3, 4],
  encoder: (options: { name: string; seed: number }) =>
    transformer({
      inputShape: [3, 4],
      ...options,
      layers: 1,
      heads: 2,
      width: 8,
      feedForward: 8,
      dropout: 0.5,
    }),
};
const joint: StepSetup = {
  ...tinySetup,
  dataset: { ...tinySetup.dataset, modalities: { loud: modality, quiet: modality }, scope: 'encoder' },
  warmup: 0,
};
const g2d: StepSetup = {
  ...joint,
  method: 'g2d',
  phase: 'prioritized',
  teachers: 'cached',
  prioritized: 'quiet',
  scope: 'encoder',
};
const read = () => decodeSafetensors(readFileSync(file), file);

describe('recordStep', () => {
  it('writes what the losses follow from, under PyTorch’s names, and leaves no tensor behind', async () => {
    const before = tf.memory().numTensors;
    const losses = await recordStep(joint, file);
    expect(tf.memory().numTensors).toBe(before);
    expect(losses).toHaveLength(3);
    expect(losses[2]).toBeLessThan(losses[0]!);
    const recorded = read();
    expect(recorded['encoders.loud.layers.0.self_attn.in_proj_weight']?.shape).toEqual([24, 8]);
    expect(recorded['heads.quiet.weight']?.shape).toEqual([3, 8]);
    expect(recorded['inputs.quiet']?.shape).toEqual([4, 3, 4]);
    expect(recorded['labels']?.shape).toEqual([4]);
    expect(recorded).not.toHaveProperty('teachers.loud.logits');
  });

  it('has no dropout, which would make every training another', async () => {
    expect(await recordStep(joint, file)).toEqual(await recordStep(joint, file));
  });

  it('records the teachers, and stays in the phase that was asked for', async () => {
    const prioritized = await recordStep(g2d, file);
    expect(read()['teachers.loud.logits']?.shape).toEqual([4, 3]);
    expect(read()['teachers.loud.features']?.shape).toEqual([4, 8]);
    const both = await recordStep({ ...g2d, phase: 'joint', prioritized: 'loud' }, file);
    // Whoever rests begins to make a difference with the first update.
    expect(prioritized[0]).toBeGreaterThan(0);
    expect(prioritized[2]! - prioritized[0]!).not.toBeCloseTo(both[2]! - both[0]!, 6);
  });
});
