import { describe, expect, it } from 'vitest';
import { toy, type ToyModality } from '../test/toy-source.js';
import type { MultimodalDataset, Sample } from '@g2d/core';
import { deriveSeed, randomStream } from '@g2d/tensor-ops';
import { inMemory } from './in-memory.js';
import { missingModalities } from './missing-modalities.js';
import { openSource } from './pipeline/open-source.js';
import { presenceMask } from './presence-mask.js';

const allOf = async <M extends string>(dataset: MultimodalDataset<M>): Promise<Sample<M>[]> =>
  Promise.all(dataset.ids.map((_, i) => dataset.sample(i)));
const maskOf = async (dataset: MultimodalDataset<ToyModality>): Promise<boolean[]> =>
  (await allOf(dataset)).flatMap(({ present }) => dataset.modalities.map((m) => present![m]));

describe('missingModalities', () => {
  it('makes missing inputs zeros without reading them, and keeps everything else', async () => {
    const asked: string[][] = [];
    const base = toy({ size: 20 });
    const whole = await allOf(base);
    const dataset = missingModalities(
      { ...base, sample: (i, how) => (asked.push([...how!.modalities!]), base.sample(i, how)) },
      { rate: 0.5 },
    );
    expect([dataset.ids, dataset.incomplete]).toEqual([base.ids, base.modalities]);
    const samples = await allOf(dataset);
    samples.forEach(({ id, label, inputs, present }, i) => {
      const reference = whole[i] as Sample<ToyModality>;
      expect([id, label]).toEqual([reference.id, reference.label]);
      const there = base.modalities.filter((m) => present![m]);
      expect(asked[i]).toEqual(there);
      expect(inputs).toEqual({
        sound: present!.sound ? reference.inputs.sound : new Float32Array(2),
        picture: present!.picture ? reference.inputs.picture : new Float32Array(1),
        // One step: the length would tell something.
        text: present!.text ? reference.inputs.text : new Float32Array(2),
      });
    });
    expect(samples.filter(({ present }) => !present!.text).length).toBeGreaterThan(3);
  });

  it('draws a mask per split and seed, which stays', async () => {
    const masks = await Promise.all(
      [
        { split: 'train', seed: 1 },
        { split: 'train', seed: 1 },
        { split: 'test', seed: 1 },
        { split: 'train', seed: 2 },
      ].map(({ split, seed }) =>
        maskOf(missingModalities(toy({ size: 30, split: split as 'train' }), { rate: 0.4, seed })),
      ),
    );
    expect(masks[1]).toEqual(masks[0]);
    expect(masks[2]).not.toEqual(masks[0]);
    expect(masks[3]).not.toEqual(masks[0]);
    expect(masks[0]!.filter(Boolean)).toHaveLength(54);
  });

  it('"patterns": draws for training samples again in every epoch, in memory too, and for others once', async () => {
    const random = (epoch: number) => (modality: string) => randomStream(deriveSeed(epoch, modality));
    const presentIn = async (dataset: MultimodalDataset<ToyModality>, epoch: number): Promise<string> => {
      const rows = await Promise.all(dataset.ids.map((_, i) => dataset.sample(i, { random: random(epoch) })));
      for (const { inputs, present } of rows)
        expect(present!.sound || inputs.sound.every((value) => value === 0)).toBe(true);
      return rows.map(({ present }) => Object.values(present!).map(Number).join('')).join(' ');
    };
    const of = (split: 'train' | 'test') =>
      missingModalities(toy({ size: 20, split }), { sampler: 'patterns', seed: 3 });
    for (const train of [of('train'), await inMemory(of('train'))]) {
      expect(train.augmented).toEqual(train.modalities);
      const first = await presentIn(train, 1);
      expect(await presentIn(train, 2)).not.toBe(first);
      expect(await presentIn(train, 1)).toBe(first);
      expect(first).not.toMatch(/111|000/);
    }
    const test = of('test');
    expect([test.augmented, of('train').mask]).toEqual([['picture'], undefined]);
    expect(await presentIn(test, 2)).toBe(await presentIn(test, 1));
    expect(test.mask).toHaveLength(60);
  });

  it('gives the id, the label and the mask if nothing is asked for or only what is missing', async () => {
    const dataset = missingModalities(toy({ size: 2 }), { mask: Uint8Array.of(1, 0, 0, 1, 1, 1) });
    const present = { sound: true, picture: false, text: false };
    expect(await dataset.sample(0, { modalities: [] })).toEqual({
      id: 'toy/0',
      label: 0,
      inputs: {},
      present,
    });
    const { inputs } = await dataset.sample(0, { modalities: ['picture'] });
    expect(inputs).toEqual({ picture: new Float32Array(1) });
  });

  it('takes a mask that was drawn elsewhere', async () => {
    const mask = presenceMask({ samples: 10, modalities: 3, rate: 0.2, seed: 0, sampler: 'official' });
    expect(await maskOf(missingModalities(toy({ size: 10 }), { mask }))).toEqual([...mask].map(Boolean));
    expect(() => missingModalities(toy({ size: 9 }), { mask })).toThrow(
      /30 cells.*9 × 3 \(sound, picture, text\)/,
    );
    expect(() => missingModalities(toy({ size: 10 }), { mask: mask.fill(2, 0, 1) })).toThrow(/each 0 or 1/);
  });

  it('is the same dataset if nothing is missing', () => {
    expect(missingModalities(toy({ size: 3 }), { rate: 0 })).not.toHaveProperty('incomplete');
  });

  it('is missing what either wrapper takes away', async () => {
    const once = missingModalities(toy({ size: 2 }), { mask: Uint8Array.of(1, 0, 1, 1, 1, 1) });
    const twice = missingModalities(once, { mask: Uint8Array.of(1, 1, 0, 1, 0, 1) });
    expect((await twice.sample(0)).present).toEqual({ sound: true, picture: false, text: false });
    expect((await twice.sample(1)).present).toEqual({ sound: true, picture: false, text: true });
  });

  it('is opened again by its source', async () => {
    const dataset = missingModalities(toy({ size: 12 }), { rate: 0.4, seed: 6 });
    const again = await openSource(structuredClone(dataset.source!));
    expect(await allOf(again)).toEqual(await allOf(dataset));
    const { source: _, ...rest } = toy({ size: 12 });
    expect(missingModalities(rest, { rate: 0.4 }).source).toBeUndefined();
  });

  it('gives complete inputs beside the mask to those who ask', async () => {
    const base = toy({ size: 20 });
    const [whole, zero, complete] = await Promise.all([
      allOf(base),
      allOf(missingModalities(base, { rate: 0.5, seed: 2 })),
      allOf(missingModalities(base, { rate: 0.5, seed: 2, inputs: 'complete' })),
    ]);
    expect(complete.map(({ present }) => present)).toEqual(zero.map(({ present }) => present));
    expect(complete.map(({ inputs }) => inputs)).toEqual(whole.map(({ inputs }) => inputs));
    const lacking = missingModalities(base, { rate: 0.5 });
    expect(() => missingModalities(lacking, { rate: 0, inputs: 'complete' })).toThrow(
      /samples of toy \(train\) really lack sound, picture, text/,
    );
    expect(() => missingModalities(base, { rate: 0, inputs: 'all' as 'zero' })).toThrow(/`inputs` is "all"/);
  });

  it('refuses a mask that leaves a sample without any modality', () => {
    expect(() => missingModalities(toy({ size: 2 }), { mask: Uint8Array.of(1, 0, 0, 0, 0, 0) })).toThrow(
      /leaves the sample toy\/1 of toy \(train\) without any of sound, picture, text \(row 1\)/,
    );
  });

  it('takes away of some modalities alone: every sample keeps one of them, and their share is the rate', async () => {
    const base = toy({ size: 40 });
    const dataset = missingModalities(base, { rate: 0.4, seed: 1, modalities: ['text', 'sound'] });
    expect([dataset.masked, dataset.incomplete]).toEqual([
      ['sound', 'text'],
      ['sound', 'text'],
    ]);
    expect([dataset.mask!.length, dataset.mask!.filter((cell) => cell === 0).length]).toEqual([80, 32]);
    const rows = (await allOf(dataset)).map(({ present }) => present!);
    expect(rows.every(({ picture, sound, text }) => picture && (sound || text))).toBe(true);
    // The mask of a dataset that has no others.
    const mask = presenceMask({ samples: 40, modalities: 2, rate: 0.4, seed: deriveSeed(1, 'masks/train') });
    expect(rows.flatMap(({ sound, text }) => [Number(sound), Number(text)])).toEqual([...mask]);

    const patterns = missingModalities(base, { sampler: 'patterns', seed: 3, modalities: ['sound', 'text'] });
    expect([patterns.mask, patterns.augmented]).toEqual([undefined, base.modalities]);
    for (const i of base.ids.keys()) {
      const { present } = await patterns.sample(i, { random: (m) => randomStream(deriveSeed(i, m)) });
      expect([present!.picture, Number(present!.sound) + Number(present!.text)]).toEqual([true, 1]);
    }
    expect(() => missingModalities(base, { rate: 0.4, modalities: ['smell'] })).toThrow(
      /toy has no modality "smell"/,
    );
    expect(() => missingModalities(base, { rate: 0.4, modalities: [] })).toThrow(/`modalities` is empty/);
    expect(() =>
      missingModalities(base, { mask: new Uint8Array(120).fill(1), modalities: ['sound', 'text'] }),
    ).toThrow(/40 × 2 \(sound, text\)/);
  });

  it('refuses what the sampler refuses', () => {
    expect(() => missingModalities(toy({ size: 3 }), { rate: 2 })).toThrow(/`rate` is 2/);
    expect(() => missingModalities(toy({ size: 8 }), { rate: 0.4, sampler: 'official' })).toThrow(
      /finds no mask/,
    );
  });
});
