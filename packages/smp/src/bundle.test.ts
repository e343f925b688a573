// What a page downloads: the size of @g2d/smp, and that it trains in a real browser on plain TensorFlow.js.
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBrowser, runPage } from '../../../test/browser/run-page.js';
import type { Epoch } from '../test/browser/train.js';
import { bundle } from '../test/bundle.js';

const page = join(import.meta.dirname, '../test/browser');
const browser = findBrowser();
const missing = 'no browser: install Debian’s chromium, or name one in CHROMIUM';
if (!browser) console.warn(missing);

describe('the bundle', () => {
  it('of everything takes at most 4 kB gzipped, without TensorFlow.js', async () => {
    const code = await bundle({ entry: join(import.meta.dirname, 'index.ts'), tfjs: 'import' });
    expect(code).toContain("from'@tensorflow/tfjs-core'");
    expect(gzipSync(code, { level: 9 }).length).toBeLessThanOrEqual(4000);
  });
});

describe('a page with plain TensorFlow.js', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'g2d-smp-page-'));
    if (!browser) return;
    await writeFile(
      join(folder, 'train.js'),
      await bundle({ entry: join(page, 'train.ts'), tfjs: 'global' }),
    );
    const tfjs = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs/package.json'));
    await copyFile(join(tfjs, 'dist/tf.min.js'), join(folder, 'tf.min.js'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  // Only a user's machine may lack one.
  it('has a browser to run in where CI runs', () => {
    expect(browser !== undefined || !process.env['CI'], missing).toBe(true);
  });

  const title = browser ? 'trains the video alone, then both' : `trains (${missing})`;
  it.skipIf(!browser).each(['cpu', 'webgl'])(`%s: ${title}, in a loop and in fit`, async (backend) => {
    const result = (await runPage({
      browser: browser!,
      folders: [page, folder],
      page: `/page.html?backend=${backend}`,
      timeoutMs: 50_000,
    })) as { backend: string; loop: Epoch[]; fit: Epoch[] };
    expect(result.backend).toBe(backend);
    for (const epochs of [result.loop, result.fit]) {
      expect(epochs.map(({ coefficients }) => coefficients)).toEqual([
        { audio: 0, video: 1 },
        { audio: 0, video: 1 },
        { audio: 1, video: 1 },
        { audio: 1, video: 1 },
      ]);
      expect(epochs.map(({ moved }) => moved.audio)).toEqual([false, false, true, true]);
      expect(epochs.map(({ moved }) => moved.video)).toEqual([true, true, true, true]);
      const losses = epochs.map(({ loss }) => loss);
      expect(losses.at(-1)).toBeLessThan(losses[0]!);
    }
  });
});
