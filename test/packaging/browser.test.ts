// What says that it runs anywhere, as it is built: bundled for browsers by esbuild and by Vite, without anything of Node, and two steps of training in a
// real browser on every backend, with the numbers of plain JavaScript.
import { copyFile, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire, isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { build as esbuild } from 'esbuild';
import { build as vite, type Rolldown } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBrowser, runPage } from '../browser/run-page.js';
import type { Steps } from './browser/step.js';

const root = resolve(import.meta.dirname, '../..');
const page = join(import.meta.dirname, 'browser');
const browser = findBrowser();
const missing = 'no browser: install Debian’s chromium, or name one in CHROMIUM';
if (!browser) console.warn(missing);

/** The packages that the README says run anywhere. */
const anywhere = (await readFile(join(root, 'README.md'), 'utf8'))
  .split('\n')
  .flatMap((line) => /^\| \[(@g2d\/[\w-]+)\].*\| anywhere +\|$/.exec(line)?.[1] ?? []);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'g2d-anywhere-'));
  // A project that has them installed.
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Everything of a package, so that nothing is left out for nobody needing it. */
async function entryOf(name: string): Promise<string> {
  const entry = join(folder, `${name.replace(/\W/g, '-')}.js`);
  await writeFile(entry, `import * as all from '${name}';\nglobalThis.all = all;\n`);
  return entry;
}

/** TensorFlow.js and what it brings ask for modules of Node where there are some, and do without elsewhere. */
const ASKS = /[\\/]node_modules[\\/](@tensorflow|seedrandom|long|node-fetch)[\\/]/;

/** A bundle, and which modules of Node it asks for. */
async function bundledBy(
  tool: 'esbuild' | 'vite',
  entry: string,
): Promise<{ readonly code: string; readonly builtins: readonly string[] }> {
  const builtins: string[] = [];
  const note = (path: string, importer: string | undefined): void => {
    if (isBuiltin(path) && !ASKS.test(importer ?? '')) builtins.push(`${path} (${importer})`);
  };
  if (tool === 'esbuild') {
    const { outputFiles } = await esbuild({
      entryPoints: [entry],
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'browser',
      logLevel: 'silent',
      plugins: [
        {
          name: 'builtins',
          setup(plugin) {
            plugin.onResolve({ filter: /.*/ }, ({ path, importer }) => {
              note(path, importer);
              return undefined;
            });
          },
        },
      ],
    });
    return { code: outputFiles[0]!.text, builtins };
  }
  const result = (await vite({
    configFile: false,
    root: folder,
    logLevel: 'silent',
    build: { write: false, minify: false, target: 'es2022', rolldownOptions: { input: entry } },
    plugins: [
      {
        name: 'builtins',
        enforce: 'pre',
        resolveId(path, importer) {
          note(path, importer);
          return null;
        },
      },
    ],
  })) as Rolldown.RolldownOutput;
  const chunks = result.output.flatMap((file) => (file.type === 'chunk' ? [file.code] : []));
  return { code: chunks.join('\n'), builtins };
}

describe('a package for anywhere', () => {
  it('is one of these', () => {
    expect(anywhere).toEqual(
      expect.arrayContaining(['@g2d/smp', '@g2d/distill', '@g2d/fusion', '@g2d/encoders', '@g2d/trainer']),
    );
  });

  it.each(anywhere.flatMap((name) => (['esbuild', 'vite'] as const).map((tool) => [name, tool] as const)))(
    '%s is bundled by %s with nothing of Node',
    async (name, tool) => {
      const { code, builtins } = await bundledBy(tool, await entryOf(name));
      expect(builtins).toEqual([]);
      expect(code.length).toBeGreaterThan(1000);
    },
  );
});

describe('two steps in a browser', () => {
  beforeAll(async () => {
    if (!browser) return;
    await esbuild({
      entryPoints: [join(page, 'step.ts')],
      bundle: true,
      outfile: join(folder, 'step.js'),
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      nodePaths: [join(root, 'node_modules')],
      logLevel: 'silent',
    });
    const wasm = dirname(
      createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json'),
    );
    for (const kind of ['', '-simd', '-threaded-simd']) {
      const file = `tfjs-backend-wasm${kind}.wasm`;
      await copyFile(join(wasm, 'wasm-out', file), join(folder, file));
    }
  });

  // Only a user's machine may lack one.
  it('has a browser to run in where CI runs', () => {
    expect(browser !== undefined || !process.env['CI'], missing).toBe(true);
  });

  /** Drawn by a program, so that it is there everywhere; without Vulkan numbers could not be read in the middle of a step. */
  const WEBGPU = [
    '--enable-unsafe-webgpu',
    '--use-webgpu-adapter=swiftshader',
    '--enable-features=Vulkan',
    '--use-vulkan=swiftshader',
    '--use-angle=swiftshader',
  ];

  const run = (backends: readonly string[], flags: readonly string[]): Promise<Steps[]> =>
    runPage({
      browser: browser!,
      folders: [page, folder],
      page: `/step.html?backends=${backends.join()}`,
      timeoutMs: 240_000,
      flags,
    }) as Promise<Steps[]>;

  it.skipIf(!browser).each([
    ['wasm', []],
    ['webgl', []],
    ['webgpu', WEBGPU],
  ])(`%s has the numbers of plain JavaScript${browser ? '' : ` (${missing})`}`, async (backend, flags) => {
    const [plain, fast] = (await run(['cpu', backend], flags)) as [Steps, Steps];
    expect([plain.backend, fast.backend]).toEqual(['cpu', backend]);
    expect(plain.losses).toHaveLength(2);
    plain.losses.forEach((parts, epoch) => {
      expect(Object.keys(parts)).toContain('total');
      for (const [part, value] of Object.entries(parts))
        expect(Math.abs(fast.losses[epoch]![part]! - value), `${part} of epoch ${epoch + 1}`).toBeLessThan(
          2e-4 * Math.max(1, Math.abs(value)),
        );
    });
    for (const [name, value] of Object.entries(plain.weights))
      expect(Math.abs(fast.weights[name]! - value), name).toBeLessThan(5e-4 * Math.max(1, value));
  });
});
