import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deriveSeed, randomStream } from '@g2d/tensor-ops';
import { afterAll, describe, expect, it } from 'vitest';
import { fromSamples } from '@g2d/datasets';
import type { SettledMissing } from './mask-settings.js';
import { maskSplit } from './mask-split.js';

const folder = mkdtempSync(join(tmpdir(), 'g2d-mask-split-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const dataset = (split: 'train' | 'test') =>
  fromSamples({
    name: 'pets',
    split,
    classNames: ['cat', 'dog'],
    samples: [0, 1, 0, 1].map((label, i) => ({ id: `${i}`, label, inputs: { sound: [i], picture: [i] } })),
  });
const masks = (rows: readonly string[]): SettledMissing => {
  for (const split of ['train', 'test'])
    writeFileSync(join(folder, `${split}.csv`), ['id,sound,picture', ...rows].join('\n'));
  return { masks: folder, modalities: 'all' };
};

it('names the classes of which no training sample has a modality', () => {
  const missing = masks(['0,1,1', '1,0,1', '2,0,1', '3,0,1']);
  const { mask } = maskSplit(dataset('train'), missing);
  expect(mask.remarks).toEqual([
    'No training sample of pets of the class "dog" has sound: its encoder never sees it.',
  ]);
  expect(mask.share).toBe(3 / 8);
  expect(maskSplit(dataset('test'), missing).mask.remarks).toEqual([]);
  const all = maskSplit(dataset('train'), masks(['0,0,1', '1,0,1', '2,0,1', '3,0,1']));
  expect(all.mask.remarks).toEqual([
    'No training sample of pets of 2 classes "cat", "dog" has sound: its encoder never sees them.',
  ]);
});

describe('masks over the modalities that a run has', () => {
  const views = fromSamples({
    name: 'views',
    split: 'train',
    classNames: ['x', 'y'],
    samples: Array.from({ length: 30 }, (_, i) => ({
      id: `${i}`,
      label: i % 2,
      inputs: { a: [i + 1], b: [i + 1], c: [i + 1] },
    })),
  });

  it('leave each sample one of these, and their share is that of these', async () => {
    const { dataset, complete, mask } = maskSplit(
      views,
      { rate: 0.4, seed: 2, modalities: ['c', 'a'] },
      { complete: true },
    );
    expect(mask.share).toBe(0.4);
    const rows = mask.table!.trim().split('\n');
    expect([rows[0], rows.length]).toEqual(['id,a,c', 31]);
    expect(rows.filter((row) => row.endsWith(',0,0'))).toEqual([]);
    for (const [i, row] of rows.slice(1).entries()) {
      const [, a, c] = row.split(',');
      const own = await dataset.sample(i);
      expect(own.present).toEqual({ a: a === '1', b: true, c: c === '1' });
      expect([own.inputs.a![0], own.inputs.b![0]]).toEqual([a === '1' ? i + 1 : 0, i + 1]);
      // Both are under one mask.
      const whole = await complete!.sample(i);
      expect([whole.present, whole.inputs.a![0], whole.inputs.c![0]]).toEqual([own.present, i + 1, i + 1]);
    }
  });

  it('draw again in every epoch for both readers alike', async () => {
    const { dataset, complete, mask } = maskSplit(
      views,
      { sampler: 'patterns', seed: 2, modalities: 'all' },
      { complete: true },
    );
    expect(mask).toEqual({ share: 0.5, remarks: [] });
    for (const epoch of [1, 2]) {
      const random = (modality: string) => randomStream(deriveSeed(epoch, modality));
      for (const i of [0, 7, 29])
        expect((await complete!.sample(i, { random })).present).toEqual(
          (await dataset.sample(i, { random })).present,
        );
    }
  });

  it('say where a rate cannot be met', () => {
    const remarks = (rate: number, modalities: SettledMissing['modalities'], sampler?: 'samples') =>
      maskSplit(views, { rate, modalities, ...(sampler && { sampler }) }).mask.remarks;
    expect(remarks(0.6, ['a', 'b'])).toEqual([
      '"data.missing.rate" is 0.6, but every sample keeps one of the 2 modalities: 0.500 of the cells are missing.',
    ]);
    expect(remarks(0.2, ['b'])[0]).toMatch(/keeps its only modality, b: nothing is missing\./);
    expect(remarks(0.6, 'all')).toEqual([]);
    expect(remarks(0.9, 'all', 'samples')).toEqual([]);
  });

  it('are refused if a file leaves a sample without any, where it is wrapped', () => {
    expect(() => maskSplit(dataset('test'), masks(['0,1,1', '1,0,0', '2,0,1', '3,0,1']))).toThrow(
      /leaves the sample 1 of pets \(test\) without any of sound, picture \(row 1\)\. Every sample keeps one/,
    );
  });
});
