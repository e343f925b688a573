// What a method leaves as it is: with strength 0, or outside of its window, it is joint training, bit for bit; with one modality too, or
// it is refused.
import * as tf from '@tensorflow/tfjs';
import type { AnyMethod, Method, StackDefinition } from '@g2d/core';
import { concatFusion } from '@g2d/fusion';
import { frozenTeachers } from '@g2d/trainer';
import { beforeAll, describe, expect, it } from 'vitest';
import { inputShapes, toyTeachers, trained, type Recipe } from '../test/resume.js';
import { toyModel, type Modality } from '../test/toy.js';
import { methods } from './index.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** A window behind the last epoch. */
const epochs = [9, 9];
const late = { alpha: 0.8, epochs, scope: 'encoder' };

/** By method: options of its parts with which its formula is joint training's; none: why there are no such options. */
const NEUTRAL: Readonly<Record<string, readonly (readonly object[])[] | string>> = {
  joint: [[]],
  'linear-probe': 'its encoders are frozen',
  ume: 'it trains nothing',
  umt: [[{ lambda: 0 }]],
  // w_m of the modalities' own heads.
  'gradient-blending': [[{ weights: { fused: 1, audio: 0, visual: 0 } }]],
  // κ = 1 − tanh(0) = 1.
  ogm: [[{ alpha: 0 }], [late]],
  // With α = 0 there is noise all the same.
  'ogm-ge': [[late]],
  // With α = 0 the factors are 1, but the gradient comes by the parts of each modality, which add up in another order.
  agm: [[{ alpha: 1, epochs }]],
  pmr: [[{ alpha: 0 }], [{ alpha: 1, epochs }]],
  mslr: [[{ strategy: 'keep' }], [{ factors: { audio: 2, visual: 3 }, epochs }]],
  mses: [[{ patience: 9, weights: 0 }], [{ patience: 9, reference: 'official' }]],
  qmf: 'its fused logits are weighed by confidences',
  olm: 'each head has a loss of its own',
  mla: 'the modalities take turns',
  'mm-pareto': 'each head has a loss of its own',
  'recon-boost': 'the modalities take turns',
  'di-mml': 'encoders learn alone',
  greedy: 'its branches see each other',
  'diagnosing-relearning': [[{ lambda: 0, every: 1 }], [{ times: 0 }]],
  dlmg: [[{ schedule: 'fixed', start: { classification: 1, matching: 0 } }]],
  cra: 'its fusion is a cascade of autoencoders',
  mmin: 'its fusion is a cascade of autoencoders',
  'cpm-net': 'it trains decoders and a vector of each sample',
  tate: 'its fusion is told what a sample lacks',
  'mis-me': 'its head normalizes batches',
  smp: [[{ phaseEpochs: [0, 3], scope: 'encoder' }]],
  'g2d-loss': [[{ alpha: 0, beta: 0 }]],
  g2d: [
    [
      { alpha: 0, beta: 0 },
      { phaseEpochs: [0, 3], scope: 'encoder' },
    ],
  ],
};

/** They have data of another kind: their own tests train one modality. */
const OWN_DATA = ['cpm-net', 'mis-me'];

/**
 * What becomes of one modality: `joint`, trained bit for bit as without a method; `refused` with a sentence; or why it is trained otherwise.
 * The options are those without which the method cannot be made.
 */
const ALONE: Readonly<
  Record<string, { readonly is: string; readonly options?: readonly object[]; readonly epochs?: number }>
> = {
  joint: { is: 'joint' },
  'linear-probe': { is: 'its encoder is frozen' },
  ume: { is: 'it trains nothing', epochs: 0 },
  umt: { is: 'it learns from its teacher' },
  'gradient-blending': { is: 'refused' },
  ogm: { is: 'refused', options: [{ alpha: 0.8 }] },
  'ogm-ge': { is: 'refused', options: [{ alpha: 0.8 }] },
  agm: { is: 'refused', options: [{ alpha: 1 }] },
  pmr: { is: 'refused' },
  mslr: { is: 'joint', options: [{ strategy: 'keep' }] },
  mses: { is: 'joint', options: [{ patience: 9, reference: 'official' }] },
  qmf: { is: 'refused' },
  olm: { is: 'refused' },
  mla: { is: 'joint' },
  'mm-pareto': { is: 'each head has a loss of its own' },
  'recon-boost': {
    is: 'it boosts and rectifies the same modality',
    options: [{ boostEpochs: 1, rectifyEpochs: 2 }],
  },
  'di-mml': {
    is: 'the fused head learns after its encoder',
    options: [{ temperature: 10, interactionAfter: 1, fusionEpochs: 1 }],
  },
  greedy: { is: 'refused' },
  'diagnosing-relearning': { is: 'joint', options: [{ lambda: 0, every: 1 }] },
  dlmg: { is: 'refused' },
  cra: { is: 'refused' },
  mmin: { is: 'refused' },
  tate: { is: 'refused' },
  smp: { is: 'joint', options: [{ phaseEpochs: [3], scope: 'encoder' }] },
  'g2d-loss': { is: 'it learns from its teacher' },
  g2d: { is: 'it learns from its teacher', options: [{}, { phaseEpochs: [3], scope: 'encoder' }] },
};

const partsOf = (definition: AnyMethod | StackDefinition): readonly AnyMethod[] =>
  definition.kind === 'stack' ? definition.methods : [definition];

const made = (name: string, options: readonly object[] = []): readonly Method<Modality>[] =>
  partsOf(methods.find((method) => method.name === name)!).map((part, i) =>
    part.make<Modality>(options[i] ?? {}),
  );

async function run(recipe: Recipe) {
  const teachers =
    recipe.modalities === undefined
      ? toyTeachers()
      : frozenTeachers<Modality>({ audio: toyModel(['audio']) } as never);
  try {
    return await trained(recipe, { teachers });
  } finally {
    teachers.dispose();
  }
}

/** Its own fusion if it brings one. */
const recipeOf = (name: string, options?: readonly object[]): Recipe => {
  const fusion = made(name, options).find((method) => method.fusion)?.fusion;
  return {
    methods: () => made(name, options),
    ...(fusion && { fusion: (given) => fusion({ ...given, inputShapes } as typeof given) }),
  };
};

describe('a neutral method', () => {
  it('has neutral options, or a reason why there are none', () => {
    expect(Object.keys(NEUTRAL).sort()).toEqual(methods.map(({ name }) => name).sort());
  });

  const cases = Object.entries(NEUTRAL).flatMap(([name, all]) =>
    typeof all === 'string' ? [] : all.map((options) => ({ name, options })),
  );

  it.each(cases)('is joint training, bit for bit: $name $options', async ({ name, options }) => {
    for (const fusion of [undefined, concatFusion]) {
      const own: Recipe = { methods: () => made(name, options), ...(fusion && { fusion }) };
      const [neutral, joint] = [await run(own), await run({ ...own, methods: () => [] })];
      expect(neutral.weights, fusion?.name).toEqual(joint.weights);
    }
  });

  it('is none by chance: the others differ from joint training', async () => {
    const joint = await run({ methods: () => [] });
    for (const [name, options] of [
      ['umt', [{ lambda: 1 }]],
      ['ogm', [{ alpha: 1, scope: 'encoder' }]],
      ['agm', [{ alpha: 1 }]],
      ['pmr', [{ alpha: 1 }]],
      ['mslr', [{ strategy: 'keep', factors: { audio: 2, visual: 3 } }]],
      ['smp', [{ phaseEpochs: [1, 2], scope: 'encoder' }]],
      ['g2d-loss', [{}]],
    ] as const) {
      expect((await run({ methods: () => made(name, options) })).weights, name).not.toEqual(joint.weights);
    }
  });
});

describe('one modality', () => {
  it('is known of every method', () => {
    expect([...Object.keys(ALONE), ...OWN_DATA].sort()).toEqual(methods.map(({ name }) => name).sort());
  });

  const alone = Object.entries(ALONE).map(([name, { is, options, epochs: count = 3 }]) => ({
    name,
    is,
    recipe: (): Recipe => ({ ...recipeOf(name, options), modalities: ['audio'], epochs: count }),
  }));

  it.each(alone.filter(({ is }) => is === 'refused'))(
    'is refused with a sentence: $name',
    async ({ recipe }) => {
      await expect(run(recipe())).rejects.toMatchObject({
        code: 'G2D_OPTION',
        message: expect.stringMatching(/modalit/),
      });
    },
  );

  it.each(alone.filter(({ is }) => is === 'joint'))(
    'is trained as without a method: $name',
    async ({ recipe }) => {
      const [own, joint] = [await run(recipe()), await run({ ...recipe(), methods: () => [] })];
      expect(own.weights).toEqual(joint.weights);
    },
  );

  it.each(alone.filter(({ is }) => is !== 'joint' && is !== 'refused'))(
    'is trained, otherwise than without: $name, $is',
    async ({ recipe }) => {
      const { weights } = await run(recipe());
      const numbers = Object.values(weights).flatMap(({ values }) => [...values]);
      expect(numbers.every(Number.isFinite)).toBe(true);
    },
  );
});
