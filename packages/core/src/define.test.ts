import type { LayersModel } from '@tensorflow/tfjs-layers';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { isComponent } from './component.js';
import type { MultimodalDataset } from './dataset.js';
import { defineDataset } from './define-dataset.js';
import { defineEncoder } from './define-encoder.js';
import { defineFusion } from './define-fusion.js';
import { defineMethod, defineStack, type AnyMethod } from './define-method.js';
import type { EncoderOptions } from './encoder.js';
import type { Fusion, FusionOptions } from './fusion.js';
import type { Hooks, Method } from './method.js';
import type { Outputs } from './outputs.js';
import { perModality } from './per-modality.js';
import type { Recipe } from './recipe.js';

const facts = { label: 'Patient', summary: 'waits for a while', source: { paper: 'Nobody 2020' } };
const options = z.strictObject({ patience: z.int().min(1), rate: z.number().default(0.5) });
interface State<M extends string> {
  left: Record<M, number>;
}
const patient = defineMethod({
  name: 'patient',
  ...facts,
  needs: { validation: 'every-epoch' },
  options,
  create: <M extends string>({ patience, rate }: z.output<typeof options>): Hooks<M, State<M>> => ({
    init: ({ model }) => ({ left: perModality(model.modalities, () => patience * rate) }),
    // A method made for one kind of model asks for what it gives beside the outputs.
    loss: ({ logits, imputed }: Outputs<M> & { readonly imputed: Outputs<M>['logits'] }, step) => ({
      total: step.taskLoss(logits ?? imputed),
    }),
  }),
});

describe('defineMethod', () => {
  it('makes a function that makes the method, and has the facts', () => {
    const method = patient<'audio'>({ patience: 4 });
    expect(method).toMatchObject({ name: 'patient', needs: { validation: 'every-epoch' } });
    expect(method.init?.({ model: { modalities: ['audio'] } } as never)).toEqual({ left: { audio: 2 } });
    expect({ ...patient }).toMatchObject({ kind: 'method', name: 'patient', ...facts, options });
    expect(isComponent(patient, 'method')).toBe(true);
    expect([
      isComponent(patient, 'encoder'),
      isComponent(() => patient, 'method'),
      isComponent(null, 'method'),
    ]).toEqual([false, false, false]);
  });

  it('checks options that come from anywhere, and says where', () => {
    const [known]: readonly AnyMethod[] = [patient];
    expect(() => known?.make({ patience: 0 })).toThrow('patient: `patience` is 0; it must be at least 1.');
    expect(() => known?.make({ patience: 0 }, { where: 'a.json', prefix: 'methodOptions.patient' })).toThrow(
      'In a.json, "methodOptions.patient.patience" is 0; it must be at least 1.',
    );
  });

  it('lets what a method needs depend on its options', () => {
    const choosy = defineMethod({
      name: 'choosy',
      ...facts,
      needs: { teachers: 'unimodal' },
      options: z.strictObject({ alone: z.boolean().default(false) }),
      create: ({ alone }) => ({ ...(alone && { needs: {} }) }),
    });
    expect([choosy().needs, choosy({ alone: true }).needs]).toEqual([{ teachers: 'unimodal' }, {}]);
  });

  it('may have a recipe, which is checked', () => {
    const recipe = {
      formula: 'L = 0',
      cost: { forward: 1, backward: [0, 1] },
      advice: [{ claim: 'never helps', source: 'Nobody 2020' }],
    } as const;
    const create = (): object => ({});
    const own = { name: 'own', ...facts, options: z.strictObject({}), create };
    expect(defineMethod({ ...own, recipe }).recipe).toEqual(recipe);
    expectTypeOf(defineMethod({ ...own, recipe }).recipe).toExtend<Recipe>();
    expectTypeOf(defineMethod(own).recipe).toEqualTypeOf<undefined>();
    expect(defineStack({ name: 'stack', ...facts, methods: [], recipe }).recipe).toEqual(recipe);
    const wrong = { ...recipe, formula: 'L = 0\n+ 1' };
    expect(() => defineMethod({ ...own, recipe: wrong })).toThrow(
      /In the method own, "recipe.formula" is .*; it must be one line of text/,
    );
    const cost = { forward: -1, backward: 1 };
    expect(() => defineStack({ name: 'stack', ...facts, methods: [], recipe: { ...recipe, cost } })).toThrow(
      /"recipe.cost.forward" is -1; it must be/,
    );
  });

  it('has types for options and modalities', () => {
    expectTypeOf(patient<'audio' | 'video'>).returns.toEqualTypeOf<Method<'audio' | 'video'>>();
    expectTypeOf(patient).parameter(0).toEqualTypeOf<z.input<typeof options>>();
    // @ts-expect-error `patience` has no default.
    expect(() => patient({})).toThrow(/is missing/);
    // @ts-expect-error No such option.
    expect(() => patient({ patience: 1, patiense: 2 })).toThrow(/no option `patiense`/);
  });

  it('refuses facts that are none', () => {
    const create = (): object => ({});
    const none = z.strictObject({});
    expect(() => defineMethod({ name: 'My Method', ...facts, options: none, create })).toThrow(
      /The method "My Method" has the name "My Method"; it must be lower-case words with dashes/,
    );
    expect(() => defineMethod({ name: 'mine', label: 'Mine', summary: ' ', options: none, create })).toThrow(
      /has the summary " "; it must be a text/,
    );
  });
});

describe('defineStack', () => {
  it('is a name for several methods', () => {
    const stack = defineStack({
      name: 'both',
      label: 'Both',
      summary: 'one after another',
      methods: [patient],
    });
    expect(stack).toMatchObject({ kind: 'stack', name: 'both', methods: [patient] });
    expect(isComponent(stack, 'stack')).toBe(true);
  });
});

describe('defineEncoder', () => {
  const dense = defineEncoder({
    name: 'dense',
    ...facts,
    options: z.strictObject({ units: z.int().min(1).default(64) }),
    create: (spec: EncoderOptions<readonly [number]>, { units }) =>
      ({ spec, units }) as unknown as LayersModel,
  });

  it('takes its options beside the modality, its shape and the seed', () => {
    const spec = { name: 'audio', inputShape: [40], seed: 3 } as const;
    expect(dense({ ...spec, units: 8 })).toEqual({ spec, units: 8 });
    expect(dense(spec)).toEqual({ spec, units: 64 });
    expect(() => dense({ ...spec, units: 0 })).toThrow('dense: `units` is 0; it must be at least 1.');
    expect(() => dense.make(spec, { units: 'many' }, { where: 'a.json', prefix: 'encoders.audio' })).toThrow(
      /In a.json, "encoders.audio.units" is "many"/,
    );
    expect(dense.name).toBe('dense');
  });
});

describe('defineFusion', () => {
  const sum = defineFusion({
    name: 'sum',
    ...facts,
    modalities: { min: 2 },
    options: z.strictObject({ hidden: z.int().optional() }),
    create: <M extends string>(spec: FusionOptions<M>, own: object) =>
      ({ spec, own }) as unknown as Fusion<M>,
  });

  it('takes its options beside widths, classes and the seed', () => {
    const spec = { widths: { audio: 4, image: 5 }, classes: 3, seed: 0 };
    expectTypeOf(sum(spec)).toEqualTypeOf<Fusion<'audio' | 'image'>>();
    expect(sum({ ...spec, hidden: 7 })).toEqual({ spec, own: { hidden: 7 } });
    expect(sum.make(spec, {})).toEqual({ spec, own: {} });
    expect({ ...sum }).toMatchObject({ kind: 'fusion', modalities: { min: 2 } });
  });
});

describe('defineDataset', () => {
  const leaves = defineDataset({
    name: 'leaves',
    ...facts,
    task: 'classification',
    modalities: ['photo', 'sound'],
    options: z.strictObject({ root: z.string() }),
    open: ({ root, split }) =>
      split === 'validation'
        ? undefined
        : ({ name: root, split } as unknown as MultimodalDataset<'photo' | 'sound'>),
    soundFile: ({ root, split }, id) => `${root}/${split}/${id}.wav`,
  });

  it('opens a split, and says that there is none', async () => {
    const train = await leaves({ root: 'data', split: 'train' });
    expectTypeOf(train).toEqualTypeOf<MultimodalDataset<'photo' | 'sound'>>();
    expect(train).toEqual({ name: 'data', split: 'train' });
    await expect(leaves({ root: 'data', split: 'validation' })).rejects.toThrow(
      'Patient has no validation split.',
    );
    // @ts-expect-error No such option.
    await expect(leaves({ root: 'data', split: 'train', roots: 1 })).rejects.toThrow(/no option `roots`/);
    const test = { root: 'data', split: 'test' as const };
    expect(leaves.soundFile?.(test, '7')).toBe('data/test/7.wav');
  });
});
