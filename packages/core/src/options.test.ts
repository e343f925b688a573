import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { G2DError } from './errors.js';
import { checkOptions, type OptionsPlace } from './options.js';

const schema = z.strictObject({
  patience: z.int().min(1),
  rate: z.number().positive().max(1).default(0.5),
  form: z.enum(['paper', 'official']).default('paper'),
  sizes: z.array(z.int()).min(2).optional(),
  weights: z.union([z.number().min(0), z.record(z.string(), z.number())]).optional(),
  schedule: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('step'), every: z.int() }),
      z.strictObject({ type: z.literal('cosine'), epochs: z.int() }),
    ])
    .optional(),
});
const file: OptionsPlace = { where: 'a.json', prefix: 'methodOptions.mses' };

function refused(values: unknown, place: OptionsPlace | string) {
  try {
    checkOptions(schema, values, place);
  } catch (error) {
    if (G2DError.isInstance(error)) return error;
    throw error;
  }
  throw new Error('It was accepted.');
}

describe('checkOptions', () => {
  it('fills in the defaults', () => {
    expect(checkOptions(schema, { patience: 3 }, 'mses')).toEqual({ patience: 3, rate: 0.5, form: 'paper' });
  });

  it.each([
    [{ patience: 0 }, 'mses: `patience` is 0; it must be at least 1.'],
    [{ patience: NaN }, 'mses: `patience` is NaN; it must be a number.'],
    [{ patience: 1.5 }, 'mses: `patience` is 1.5; it must be a whole number.'],
    [{}, 'mses: `patience` is missing; it must be a number.'],
    [{ patience: 1, rate: 0 }, 'mses: `rate` is 0; it must be above 0.'],
    [{ patience: 1, form: 'released' }, 'mses: `form` is "released"; it must be "paper", "official".'],
    [{ patience: 1, weights: 'much' }, 'mses: `weights` is "much"; it must be a number, or an object.'],
    [
      { patience: 1, epoch: 3 },
      'mses: there is no option `epoch`; known: patience, rate, form, sizes, weights, schedule.',
    ],
    [7, 'mses: options are an object, but 7 came.'],
  ])('names key, value and what is accepted: %j', (values, message) => {
    expect(refused(values, 'mses').message).toBe(message);
  });

  it('says where in a configuration it stands', () => {
    const error = refused({ patience: 'long' }, file);
    expect(error.message).toBe('In a.json, "methodOptions.mses.patience" is "long"; it must be a number.');
    expect(error).toMatchObject({
      code: 'G2D_OPTION',
      details: { option: 'methodOptions.mses.patience', value: 'long', accepted: 'a number' },
    });
    expect(refused([], { where: 'the configuration' }).message).toBe(
      'The configuration must be a JSON object.',
    );
    expect(refused({ patience: 1, sizes: [1] }, file).message).toMatch(
      /sizes" is \[1\]; it must be a list of at least 2/,
    );
  });

  it('knows the keys of the form that was chosen', () => {
    expect(refused({ patience: 1, schedule: { type: 'cosine', epochs: 3, every: 2 } }, file).message).toBe(
      'A.json has an unknown key "methodOptions.mses.schedule.every"; known here: type, epochs.'.replace(
        'A.',
        'a.',
      ),
    );
    expect(refused({ patience: 1, schedule: { type: 'linear' } }, file).message).toMatch(
      /"methodOptions.mses.schedule.type" is "linear"; it must be "step", "cosine"/,
    );
  });
});
