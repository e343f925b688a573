// What is no part of `node` reads and writes in a real browser, from bytes alone.
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBrowser, runPage } from '../../../test/browser/run-page.js';
import { bundle } from '../../smp/test/bundle.js';
import type { Read } from '../test/browser/read.js';

const page = join(import.meta.dirname, '../test/browser');
const checkpoints = join(import.meta.dirname, '../../encoders/test/torch');
const browser = findBrowser();
const missing = 'no browser: install Debian’s chromium, or name one in CHROMIUM';
if (!browser) console.warn(missing);

describe('@g2d/formats in a browser', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'g2d-formats-page-'));
    await writeFile(join(folder, 'read.js'), await bundle({ entry: join(page, 'read.ts'), tfjs: 'global' }));
    const tfjs = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs/package.json'));
    await copyFile(join(tfjs, 'dist/tf.min.js'), join(folder, 'tf.min.js'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('needs nothing of Node', async () => {
    expect(await readFile(join(folder, 'read.js'), 'utf8')).not.toMatch(/\bBuffer\b|node:/);
  });

  // Only a user's machine may lack one.
  it('has a browser to run in where CI runs', () => {
    expect(browser !== undefined || !process.env['CI'], missing).toBe(true);
  });

  const title = browser ? 'reads zip, pickle and safetensors' : `reads (${missing})`;
  it.skipIf(!browser)(`in full: ${title}`, async () => {
    const read = (await runPage({
      browser: browser!,
      folders: [page, folder, checkpoints],
      page: '/page.html',
      timeoutMs: 50_000,
    })) as Read;
    expect(read.members['image/data/10']).toBe(true);
    expect(Object.values(read.members)).not.toContain(false);
    expect(read.pickled).toContain('bn1.running_mean');
    const expected = JSON.parse(await readFile(join(checkpoints, 'expected.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    expect(read.tensors).toEqual(expected['image.safetensors']);
    expect(read.again).toEqual(read.tensors);
  });
});
