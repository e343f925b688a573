// What earlier versions wrote: options under other names, and states of methods in another form.
import { describe, expect, it } from 'vitest';
import { toyConfig } from '../test/toy-config.js';
import { currentState } from './legacy-state.js';
import { parseConfig } from './read-config.js';

const recorded = (methodOptions: object): object => toyConfig({ format: 'g2d-run', methodOptions });

describe('options of methods under their old names', () => {
  it('are read in run folders as they are called today', () => {
    const { methodOptions } = parseConfig(
      recorded({
        smp: { phaseEpochs: [1, 2], schedule: 'released' },
        mses: { patience: 3, form: 'paper' },
        mla: { projection: 'released-elementwise', width: 32 },
      }),
    );
    expect(methodOptions).toMatchObject({
      smp: { phaseEpochs: [1, 2], reference: 'official' },
      mses: { patience: 3, reference: 'paper' },
      mla: { projection: true, reference: 'official', width: 32 },
    });
    expect(parseConfig(recorded({ mla: { projection: 'off' } })).methodOptions['mla']).toMatchObject({
      projection: false,
      reference: 'paper',
    });
  });

  it('are refused elsewhere, with the new ones', () => {
    const refused = (methodOptions: object, message: RegExp): void =>
      expect(() => parseConfig(toyConfig({ methodOptions }), { where: 'a.json' })).toThrow(message);
    refused(
      { smp: { phaseEpochs: [1, 2], schedule: 'released' } },
      /In a\.json, "methodOptions\.smp\.schedule" is "released".* write "reference": "official"/,
    );
    refused({ mses: { patience: 3, form: 'paper' } }, /write "reference": "paper"/);
    refused(
      { mla: { projection: 'scalar' } },
      /in "methodOptions\.mla" write "projection": true in its place/,
    );
    expect(() => parseConfig(recorded({}), { changes: { 'methodOptions.mses.form': 'released' } })).toThrow(
      /write "reference": "official"/,
    );
  });
});

describe('settings of the data under their old names', () => {
  const crema = { name: 'crema-d', root: 'data/crema-d' };
  const old = { ...crema, faithful: false, parts: { by: 'clip', seed: 3 } };

  it('are read in run folders as they are called today', () => {
    const data = { missing: { rate: 0.2, sampler: 'released' } };
    const config = parseConfig(toyConfig({ format: 'g2d-run', dataset: old, data }));
    expect(config.dataset).toMatchObject({ official: false, splits: { by: 'clip', seed: 3 } });
    expect(config.dataset).not.toHaveProperty('faithful');
    expect(config.data.missing?.sampler).toBe('official');
  });

  it('are refused elsewhere, with the new ones', () => {
    const refused = (settings: object, message: RegExp): void =>
      expect(() => parseConfig(toyConfig(settings), { where: 'a.json' })).toThrow(message);
    refused(
      { dataset: old },
      /In a\.json, "dataset\.faithful" is false.* in "dataset" write "official": false/,
    );
    refused({ dataset: { ...crema, parts: { by: 'clip' } } }, /write "splits": \{"by":"clip"\}/);
    refused(
      { data: { missing: { rate: 0.2, sampler: 'released' } } },
      /in "data\.missing" write "sampler": "official"/,
    );
    expect(() =>
      parseConfig(toyConfig({ dataset: crema }), { changes: { 'dataset.faithful': true } }),
    ).toThrow(/write "official": true/);
  });
});

describe('the lowest rate of a schedule under its old name', () => {
  const optimizer = (min: object): object => ({
    type: 'sgd',
    learningRate: 0.1,
    schedule: { type: 'cosine', epochs: 3, ...min },
  });

  it('is read in run folders as it is called today', () => {
    const old = toyConfig({ format: 'g2d-run', optimizer: optimizer({ minimum: 0.01 }) });
    expect(parseConfig(old).optimizer).toEqual(optimizer({ min: 0.01 }));
  });

  it('is refused elsewhere, with the new one', () => {
    expect(() => parseConfig(toyConfig({ optimizer: optimizer({ minimum: 0.01 }) }))).toThrow(
      /"optimizer\.schedule\.minimum" is 0\.01, .* in "optimizer\.schedule" write "min": 0\.01 in its place/,
    );
    expect(() =>
      parseConfig(toyConfig({ optimizer: optimizer({}) }), { changes: { 'optimizer.schedule.minimum': 0 } }),
    ).toThrow(/write "min": 0 in its place/);
  });
});

describe('states of methods as they were saved', () => {
  const array = { shape: [2], values: Float32Array.of(1, 2) };

  it('are read as those of today', () => {
    const version1 = { version: 1, epoch: 2 };
    expect(currentState('smp', { values: version1 })).toEqual({ values: { smp: version1 }, partial: true });
    expect(currentState('mla', { values: { stepped: ['a'] }, arrays: { projection: array } }).values).toEqual(
      {
        projection: { $tensor: 'projection', dtype: 'float32' },
      },
    );
    for (const values of [{ stepped: [] }, { stepped: ['a'], projection: null }])
      expect(currentState('mla', { values }).values).toEqual({ projection: null });
    const mses = {
      values: { watches: { a: { stopped: false } }, learningRates: { 3: { main: 0.1 } } },
      arrays: { 'epoch-3/model/a/kernel': array, 'epoch-3/optimizer/main/a/kernel/velocity': array },
    };
    expect(currentState('mses', mses).values).toEqual({
      watches: { a: { stopped: false } },
      followed: { 3: 0.1 },
      learningRate: null,
      best: {
        3: {
          model: { 'a/kernel': { shape: [2], values: { $array: 'epoch-3/model/a/kernel' } } },
          optimizers: {
            main: {
              learningRate: 0.1,
              arrays: {
                'a/kernel/velocity': {
                  shape: [2],
                  values: { $array: 'epoch-3/optimizer/main/a/kernel/velocity' },
                },
              },
            },
          },
        },
      },
    });
    const best = { 2: { model: {}, optimizers: { main: { learningRate: 0.2, arrays: {} } } } };
    expect(currentState('mses', { values: { watches: {}, best } }).values).toEqual({
      watches: {},
      best,
      followed: { 2: 0.2 },
      learningRate: null,
    });
  });

  it('of today stay as they are', () => {
    const states = {
      smp: { values: { smp: { version: 1 }, dataset: null, variance: null } },
      mla: { values: { projection: null }, arrays: {} },
      mses: { values: { watches: {}, best: {}, followed: {}, learningRate: null } },
    };
    for (const [name, state] of Object.entries(states)) expect(currentState(name, state)).toBe(state);
  });
});
