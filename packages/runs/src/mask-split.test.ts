import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { fromSamples } from '@g2d/datasets';
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
const masks = (rows: readonly string[]): { readonly masks: string } => {
  for (const split of ['train', 'test'])
    writeFileSync(join(folder, `${split}.csv`), ['id,sound,picture', ...rows].join('\n'));
  return { masks: folder };
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
