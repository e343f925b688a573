// What a step of each method costs, counted, against what its recipe says.
import * as tf from '@tensorflow/tfjs';
import type { Fusion, Method, PassCounts } from '@g2d/core';
import { batches } from '@g2d/datasets';
import { lateFusion } from '@g2d/fusion';
import { evaluate, train } from '@g2d/trainer';
import { beforeAll, describe, expect, it } from 'vitest';
import { data, hidden, inputShapes, toyTeachers } from '../test/resume.js';
import { toyModel, type Modality } from '../test/toy.js';
import { neededOptions } from '../test/usual-options.js';
import { cpmNet } from './cpm-net.js';
import { methods } from './methods.js';
import { misMe } from './mis-me.js';
import { tate } from './tate.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

type Definition = (typeof methods)[number];

const both = ['audio', 'visual'] as const;

/** Every stage of ReconBoost and DI-MML, and the phases of SMP; a method without steps has no epoch. */
const EPOCHS = 24;
const epochsOf = (definition: Definition): number => (definition.recipe.cost.forward === 0 ? 0 : EPOCHS);

const made = (definition: Definition): Method<Modality>[] =>
  (definition.kind === 'stack' ? definition.methods : [definition]).map((method) =>
    method.make<Modality>(neededOptions(method, { phaseEpochs: [EPOCHS / 2, EPOCHS / 2] })),
  );

/** The passes of every step, by direction, each a share of all encoders. */
async function costs(definition: Definition): Promise<{ forward: number[]; backward: number[] }> {
  const found = { forward: [] as number[], backward: [] as number[] };
  const own = made(definition);
  const fusion = own.find((method) => method.fusion)?.fusion ?? lateFusion;
  const widths = { audio: 3, visual: 3 };
  const teachers = toyTeachers();
  // What a method reads beside its steps is no part of one.
  let before: PassCounts | undefined;
  const shareOf = (now: PassCounts, direction: 'forward' | 'backward'): number =>
    both.reduce((sum, m) => sum + (now[direction][m] ?? 0) - (before?.[direction][m] ?? 0), 0) / both.length;
  let first = true;
  await train<Modality>({
    model: toyModel(both, fusion({ widths, classes: 2, seed: 0, inputShapes }) as Fusion<Modality>),
    methods: own,
    teachers,
    epochs: epochsOf(definition),
    // MMIN is made for clipped gradients.
    optimizer: { learningRate: 0.01, clipping: { norm: 1 } },
    batchesPerEpoch: 3,
    everySample: () => batches(data, { batchSize: 4 }),
    everyValidationSample: () => batches(data, { batchSize: 4 }),
    batches: (epoch, startBatch) =>
      batches(own.some(({ needs }) => needs?.inputs === 'complete') ? hidden : data, {
        batchSize: 4,
        epoch,
        startBatch,
        shuffle: true,
      }),
    evaluate: async (_, predict) => ({ validation: (await evaluate(predict, data)).metrics }),
    afterStep(capture) {
      const now = capture().position.totals.passes as PassCounts;
      // The first step of an epoch has what was read before it.
      if (!first)
        for (const direction of ['forward', 'backward'] as const)
          found[direction].push(shareOf(now, direction));
      first = false;
      before = now;
    },
    onEpoch: () => void (first = true),
  });
  teachers.dispose();
  return found;
}

const rangeOf = (values: readonly number[]): readonly [number, number] =>
  values.length === 0 ? [0, 0] : [Math.min(...values), Math.max(...values)];

const asRange = (cost: number | readonly [number, number]): readonly [number, number] =>
  typeof cost === 'number' ? [cost, cost] : cost;

/** Those that train other networks or labels: counted in their own tests. */
const ELSEWHERE: readonly Definition[] = [cpmNet, tate, misMe];

describe('the cost in a recipe', () => {
  it.each(
    methods
      .filter((definition) => !ELSEWHERE.includes(definition))
      .map((definition) => [definition.name, definition] as const),
  )('is what steps of %s come to', async (_, definition) => {
    const { forward, backward } = await costs(definition);
    const { cost } = definition.recipe;
    expect([rangeOf(forward), rangeOf(backward)]).toEqual([asRange(cost.forward), asRange(cost.backward)]);
  });
});
