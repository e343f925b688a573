import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { G2DError } from './errors.js';
import { checkKeys } from './known-keys.js';

interface Optional {
  readonly learningRate?: number;
  readonly weightDecay?: number;
}
type Forms = { readonly every: number } | { readonly after: readonly number[]; readonly ratio?: number };

const known = { learningRate: true, weightDecay: true } as const;
const check = (options: unknown): Optional => checkKeys(options as Optional, known, 'train');

function refused(options: unknown): G2DError {
  try {
    check(options);
  } catch (error) {
    if (G2DError.isInstance(error)) return error;
    throw error;
  }
  throw new Error('It was accepted.');
}

describe('checkKeys', () => {
  it('gives back what is known, also objects of another realm, as test runners make them', () => {
    for (const options of [{}, { learningRate: 1 }, { weightDecay: undefined }]) check(options);
    check(runInNewContext('({ learningRate: 1 })'));
    expect(() => check(Object.assign(Object.create(null) as object, { learningRate: 1 }))).not.toThrow();
  });

  it.each([
    [
      { weigthDecay: 1 },
      'train: there is no option `weigthDecay`; known: learningRate, weightDecay. Did you mean `weightDecay`?',
    ],
    [
      { learning_rate: 1 },
      'train: there is no option `learning_rate`; known: learningRate, weightDecay. Did you mean `learningRate`?',
    ],
    [{ momentum: undefined }, 'train: there is no option `momentum`; known: learningRate, weightDecay.'],
    [{ constructor: 1 }, 'train: there is no option `constructor`; known: learningRate, weightDecay.'],
    [
      JSON.parse('{ "__proto__": 1 }'),
      'train: there is no option `__proto__`; known: learningRate, weightDecay.',
    ],
    [
      runInNewContext('({ weightdecay: 1 })'),
      'train: there is no option `weightdecay`; known: learningRate, weightDecay. Did you mean `weightDecay`?',
    ],
    [null, 'train: options are an object, but null came.'],
    [undefined, 'train: options are an object, but undefined came.'],
    [16, 'train: options are an object, but 16 came.'],
    ['adam', 'train: options are an object, but "adam" came.'],
    [[{ learningRate: 1 }], 'train: options are an object, but a list came.'],
  ])('names what is wrong and what it may have been: %j', (options, message) => {
    expect(refused(options).message).toBe(message);
  });

  it('says that an object of a class is none of its options', () => {
    class AdamOptimizer {
      readonly learningRate = 1;
      readonly beta1 = 0.9;
    }
    expect(refused(new AdamOptimizer())).toMatchObject({
      code: 'G2D_OPTION',
      message:
        'train: options are a plain object with learningRate, weightDecay, but an object of the class AdamOptimizer came.',
      details: { option: 'beta1', value: 0.9, accepted: 'learningRate, weightDecay' },
    });
  });

  it('is kept complete by the compiler, in every form of the options', () => {
    const forms: Forms = { every: 1 };
    checkKeys<Forms>(forms, { every: true, after: true, ratio: true }, 'fall');
    // @ts-expect-error: `ratio` is missing
    expect(() => checkKeys<Forms>({ after: [], ratio: 1 }, { every: true, after: true }, 'fall')).toThrow(
      /`ratio`/,
    );
    // @ts-expect-error: there is no `until`
    checkKeys<Forms>(forms, { every: true, after: true, ratio: true, until: true }, 'fall');
  });
});
