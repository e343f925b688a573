// Training on WebAssembly in a real browser, from the sources as somebody's bundler would take them, with the numbers of Node.
import { loadTensorFlow } from '@g2d/native';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'tsup';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBrowser, runPage } from '../../../test/browser/run-page.js';
import { train, type Training } from '../test/browser/train.js';

const source = join(import.meta.dirname, '../test/browser');
const browser = findBrowser();
const missing = 'no browser: install Debian’s chromium, or name one in CHROMIUM';
if (!browser) console.warn(missing);

const { resolve } = createRequire(import.meta.url);
const dist = (name: string): string => join(dirname(resolve(`${name}/package.json`)), 'dist');
const wasm = dist('@tensorflow/tfjs-backend-wasm');

describe('training on WebAssembly', () => {
  let folder: string;
  let expected: Training;

  beforeAll(async () => {
    await loadTensorFlow({ backend: 'wasm', quiet: true });
    expected = train();
    folder = await mkdtemp(join(tmpdir(), 'g2d-accelerate-'));
    if (!browser) return;
    await build({
      config: false,
      silent: true,
      entry: { page: join(source, 'page.ts') },
      outDir: folder,
      outExtension: () => ({ js: '.js' }),
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      noExternal: [/.*/],
      esbuildOptions(options) {
        options.conditions = ['@g2d/source'];
      },
      esbuildPlugins: [
        {
          name: 'tensorflow-of-page',
          setup(plugin) {
            plugin.onResolve({ filter: /^@tensorflow\// }, ({ path }) => ({ path, namespace: 'page' }));
            plugin.onLoad({ filter: /.*/, namespace: 'page' }, () => ({
              contents: 'module.exports = globalThis.tf;',
            }));
          },
        },
      ],
    });
    await copyFile(join(dist('@tensorflow/tfjs'), 'tf.min.js'), join(folder, 'tf.min.js'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('learns, in a memory that stays', () => {
    const { losses, tensors, module } = expected;
    expect(module).toBe(true);
    expect(losses.at(-1)).toBeLessThan(0.5 * losses[0]!);
    expect(tensors[0]).toBe(tensors[1]);
  });

  // Only a user's machine may lack one.
  it('has a browser to run in where CI runs', () => {
    expect(browser !== undefined || !process.env['CI'], missing).toBe(true);
  });

  const title = browser ? 'gives the numbers of Node' : `gives the numbers of Node (${missing})`;
  it.skipIf(!browser).each([
    ['a page of one thread', false],
    ['a page whose threads share memory', true],
  ])(`${title} in %s`, async (_, isolated) => {
    const result = (await runPage({
      browser: browser!,
      folders: [source, folder, wasm],
      page: '/page.html',
      timeoutMs: 50_000,
      isolated,
    })) as Training & { backend: string; isolated: boolean; shared: boolean };
    expect(result).toMatchObject({ backend: 'wasm', isolated, shared: isolated, module: true });
    expect(result.tensors[0]).toBe(result.tensors[1]);
    result.losses.forEach((loss, i) => expect(loss / expected.losses[i]!).toBeCloseTo(1, 4));
  });
});
