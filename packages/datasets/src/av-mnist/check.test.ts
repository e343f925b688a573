import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeNpy } from '@g2d/formats/node';
import { afterAll, describe, expect, it } from 'vitest';
import { checkAvMnist } from './check.js';

const good = fileURLToPath(new URL('../../../../test/fixtures/avmnist/avmnist', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'g2d-avmnist-check-'));
afterAll(() => rmSync(folder, { recursive: true }));

let copies = 0;
function copy(): string {
  const root = join(folder, `copy-${copies++}`);
  cpSync(good, root, { recursive: true });
  return root;
}

describe('checkAvMnist', () => {
  it('counts rows; so small a set is not the published one', async () => {
    const steps: number[] = [];
    expect(await checkAvMnist(good, { onProgress: (done) => steps.push(done) })).toEqual({
      dataset: 'AV-MNIST',
      folder: good,
      licence: 'none stated',
      howToGet: expect.stringMatching(/avmnist\.tar\.gz.*MultiBench/),
      expected: { train: 60_000, test: 10_000 },
      found: { train: 20, test: 10 },
      problems: [],
      asPublished: false,
    });
    expect(steps).toEqual([0, 60 / 70]);
  });

  it('tells pictures of another size from missing rows', async () => {
    // Files of the published size would be 1.2 GB.
    const root = join(folder, 'small-pictures');
    cpSync(good, root, { recursive: true });
    for (const [part, rows] of [
      ['train', 60_000],
      ['test', 10_000],
    ] as const) {
      writeNpy(join(root, `image/${part}_data.npy`), new Uint8Array(rows), [rows, 1]);
      writeNpy(join(root, `audio/${part}_data.npy`), new Uint8Array(rows), [rows, 1, 1]);
      writeNpy(join(root, `${part}_labels.npy`), new Uint8Array(rows), [rows]);
    }
    const { found, problems, asPublished } = await checkAvMnist(root);
    expect(found).toEqual({ train: 60_000, test: 10_000 });
    expect(problems).toEqual([
      {
        reason: 'another size than published (audio 112 × 112)',
        ids: ['audio, train: 1 × 1', 'audio, test: 1 × 1'],
      },
      {
        reason: 'another size than published (image 28 × 28)',
        ids: ['image, train: 1 × 1', 'image, test: 1 × 1'],
      },
    ]);
    expect(asPublished).toBe(false);
  });

  it('goes on after a damaged split and names every broken row', async () => {
    const root = copy();
    truncateSync(join(root, 'audio/train_data.npy'), 20_000);
    const image = join(root, 'image/test_data.npy');
    const bytes = readFileSync(image);
    // NaN in rows 0 and 2 of the test pictures, 784 doubles each behind the header.
    for (const row of [0, 2]) bytes.writeDoubleLE(Number.NaN, bytes.length - (10 - row) * 784 * 8);
    writeFileSync(image, bytes);
    const { found, problems } = await checkAvMnist(root);
    expect(found).toEqual({ train: 0, test: 10 });
    expect(problems.map(({ reason }) => reason)).toEqual([
      'file that cannot be used',
      'row that cannot be used',
    ]);
    expect(problems[0]?.ids[0]).toMatch(/audio\/train_data\.npy.*truncated/);
    expect(problems[1]?.ids.map((id) => id.slice(0, 15))).toEqual(['avmnist/test/0:', 'avmnist/test/2:']);
  });

  it('names every file of a split that is missing or damaged', async () => {
    const root = copy();
    rmSync(join(root, 'image/train_data.npy'));
    truncateSync(join(root, 'audio/train_data.npy'), 20_000);
    writeFileSync(join(root, 'train_labels.npy'), '<html>Quota exceeded</html>');
    truncateSync(join(root, 'image/test_data.npy'), 0);
    truncateSync(join(root, 'audio/test_data.npy'), 20_000);
    expect((await checkAvMnist(root)).problems).toEqual([
      { reason: 'file missing', ids: ['image/train_data.npy'] },
      {
        reason: 'file that cannot be used',
        ids: ['audio/train_data', 'train_labels', 'image/test_data', 'audio/test_data'].map((name) =>
          expect.stringContaining(join(root, `${name}.npy`)),
        ),
      },
    ]);
  });

  it('lists missing files by name', async () => {
    const root = copy();
    rmSync(join(root, 'test_labels.npy'));
    const { problems } = await checkAvMnist(root);
    expect(problems).toEqual([{ reason: 'file missing', ids: ['test_labels.npy'] }]);
    expect((await checkAvMnist(join(folder, 'nowhere'))).problems[0]?.ids).toHaveLength(6);
  });
});
