import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { randomStream } from '@g2d/tensor-ops';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { toy, type ToyModality } from '../test/toy-source.js';
import type { MultimodalDataset } from '@g2d/core';
import { decodedCache } from './decoded-cache.js';
import { fromSamples } from './from-samples.js';
import { missingModalities } from './missing-modalities.js';
import { openSource } from './pipeline/open-source.js';

const parent = mkdtempSync(join(tmpdir(), 'g2d-cache-'));
afterAll(() => rmSync(parent, { recursive: true, force: true }));
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(parent, 'x-'));
});

/** A dataset that notes what is read of it. */
function noted(size = 4) {
  const dataset = toy({ size });
  const read: string[] = [];
  const counted: typeof dataset = {
    ...dataset,
    sample(i, how) {
      read.push(`${i} ${(how?.modalities ?? dataset.modalities).join()}`);
      return dataset.sample(i, how);
    },
  };
  return { dataset: counted, read };
}

const entries = (): string[] =>
  readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((path) => statSync(path).isFile());

const everything = (dataset: MultimodalDataset<ToyModality>) =>
  Promise.all(dataset.ids.map((_, i) => dataset.sample(i)));

describe('decodedCache', () => {
  it('reads each input once, and gives the same', async () => {
    const { dataset, read } = noted();
    const cache = decodedCache(dataset, { folder });
    const first = await everything(cache);
    expect(first).toEqual(await everything(toy({ size: 4 })));
    expect(read).toHaveLength(4);
    expect(entries()).toHaveLength(12);
    read.length = 0;
    expect(await everything(cache)).toEqual(first);
    // Ids and labels come from the dataset; no input is read.
    expect(read.sort()).toEqual(['0 ', '1 ', '2 ', '3 ']);
    const sample = await cache.sample(1);
    sample.inputs.sound.fill(9);
    expect((await cache.sample(1)).inputs.sound).toEqual(Float32Array.of(1, 1.5));
  });

  it('keeps the modalities that are asked for', async () => {
    const { dataset, read } = noted(1);
    const cache = decodedCache(dataset, { folder, modalities: ['text'] });
    await cache.sample(0, { modalities: ['sound', 'text'] });
    await cache.sample(0);
    expect(read).toEqual(['0 sound,text', '0 sound,picture']);
    expect(() => decodedCache(dataset, { folder, modalities: ['smell' as 'text'] })).toThrow(
      /no modality "smell"/,
    );
  });

  it('takes what augmentation draws from the source', async () => {
    const { dataset, read } = noted(1);
    const cache = decodedCache(dataset, { folder });
    await cache.sample(0);
    read.length = 0;
    const { inputs } = await cache.sample(0, { random: () => randomStream(3) });
    expect(read).toEqual(['0 picture']);
    expect(inputs.picture[0]).toBe(Math.fround(randomStream(3).uniform()));
    expect((await cache.sample(0)).inputs.picture[0]).toBe(0);
  });

  it.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, 42)],
    ['empty', () => Buffer.alloc(0)],
    ['changed', (bytes: Buffer) => Buffer.from(bytes.map((byte, i) => (i === 41 ? byte ^ 1 : byte)))],
    ['longer', (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(4)])],
    ['something else', () => Buffer.from('\x93NUMPY and so on, but for more than forty bytes ....')],
  ])('reads and writes an entry anew that is %s', async (_, damage) => {
    const { dataset, read } = noted(1);
    const cache = decodedCache(dataset, { folder, modalities: ['sound'] });
    const expected = await cache.sample(0, { modalities: ['sound'] });
    const [path] = entries() as [string];
    const good = readFileSync(path);
    writeFileSync(path, damage(good));
    read.length = 0;
    expect(await cache.sample(0, { modalities: ['sound'] })).toEqual(expected);
    expect(read).toEqual(['0 sound']);
    expect(readFileSync(path)).toEqual(good);
  });

  it('does not mix up datasets, options and shapes', async () => {
    const base = toy({ size: 1 });
    const variants: MultimodalDataset<ToyModality>[] = [
      base,
      { ...base, name: 'other' },
      toy({ size: 1, delay: 0 }),
      { ...base, shapes: { ...base.shapes, picture: [1] } },
    ];
    for (const variant of variants) await decodedCache(variant, { folder }).sample(0);
    expect(readdirSync(folder)).toHaveLength(4);
    // The order of options does not matter.
    const options = { delay: 0, size: 1 };
    await decodedCache({ ...base, source: { ...base.source!, options } }, { folder }).sample(0);
    expect(readdirSync(folder)).toHaveLength(4);
  });

  it('does not mix up splits, versions, and a module before and after it was changed', async () => {
    const base = toy({ size: 1 });
    const module = join(mkdtempSync(join(parent, 'module-')), 'mine.mjs');
    const own = { ...base, source: { ...base.source!, module: pathToFileURL(module).href } };
    writeFileSync(module, 'export const toy = 1;');
    await decodedCache(own, { folder }).sample(0);
    await decodedCache(missingModalities(own, { rate: 0 }), { folder }).sample(0);
    writeFileSync(module, 'export const toy = 2;');
    await decodedCache(own, { folder }).sample(0);
    await decodedCache(missingModalities(own, { rate: 0 }), { folder }).sample(0);
    await decodedCache({ ...own, split: 'test' }, { folder }).sample(0);
    expect(readdirSync(folder)).toHaveLength(5);
    expect(entries()).toHaveLength(15);
    for (const version of ['1', '2', '1']) await decodedCache(own, { folder, version }).sample(0);
    expect(entries()).toHaveLength(21);
    await decodedCache(own, { folder, version: { text: '3', picture: '2' } }).sample(0);
    // Text, and sound without a version, which is there.
    expect(entries()).toHaveLength(22);
  });

  it('reads a file again that has another size or another time', async () => {
    const file = join(mkdtempSync(join(parent, 'files-')), 'a.txt');
    const dataset = (): MultimodalDataset<'x' | 'y'> =>
      fromSamples({
        name: 'own',
        split: 'train',
        task: 'regression',
        ids: ['a'],
        shapes: { x: [1], y: [1] },
        read: () => ({ label: 0, inputs: { x: [Number(readFileSync(file, 'utf8'))], y: [7] } }),
        files: (id, modality) => (modality === 'x' ? [join(file, '..', `${id}.txt`)] : []),
      });
    const x = async (): Promise<number | undefined> =>
      (await decodedCache(missingModalities(dataset(), { rate: 0 }), { folder }).sample(0)).inputs.x[0];
    writeFileSync(file, '1');
    expect(await x()).toBe(1);
    writeFileSync(file, '22');
    expect(await x()).toBe(22);
    const { mtime } = statSync(file);
    writeFileSync(file, '33');
    utimesSync(file, mtime, new Date(mtime.getTime() + 1000));
    expect(await x()).toBe(33);
    utimesSync(file, mtime, new Date(mtime.getTime() + 1000));
    expect(await x()).toBe(33);
    // Three of x, and y once.
    expect(entries()).toHaveLength(4);
  });

  it('is shared by several that read at once', async () => {
    const caches = [1, 2, 3].map(() => decodedCache(toy({ size: 5 }), { folder }));
    const all = await Promise.all(caches.map(everything));
    expect(all[1]).toEqual(all[0]);
    expect(all[2]).toEqual(all[0]);
    expect(entries()).toHaveLength(15);
  });

  it('is opened again by its source', async () => {
    const cache = decodedCache(missingModalities(toy({ size: 6 }), { rate: 0.5 }), { folder });
    const expected = await everything(cache);
    const again = await openSource(structuredClone(cache.source!));
    expect(await everything(again as typeof cache)).toEqual(expected);
    // What is missing is not kept.
    expect(entries()).toHaveLength(9);
  });

  it('goes on, with a warning, where nothing can be written', async () => {
    const warnings: string[] = [];
    const listen = (warning: Error): void => void warnings.push(warning.message);
    process.on('warning', listen);
    const cache = decodedCache(toy({ size: 3 }), { folder });
    const [root] = readdirSync(folder) as [string];
    // Not by permissions: root may write anywhere.
    rmSync(join(folder, root), { recursive: true });
    writeFileSync(join(folder, root), '');
    expect(await everything(cache)).toEqual(await everything(toy({ size: 3 })));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', listen);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/Nothing can be kept in/);
    expect(() => decodedCache(toy({ size: 3 }), { folder: join(folder, root) })).toThrow(/cannot be made/);
  });
});
