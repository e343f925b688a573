// Every package as a user gets it: packed, installed from the tarballs into an empty project, imported both ways.
import { execFileSync, spawnSync, type ExecFileSyncOptionsWithStringEncoding } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'g2d-packaging-'));
const project = join(folder, 'project');

const run = (
  command: string,
  args: string[],
  options: Partial<ExecFileSyncOptionsWithStringEncoding> = {},
): string =>
  execFileSync(command, args, {
    cwd: project,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  });

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly g2d?: object;
}
const all = readdirSync(join(root, 'packages')).map(
  (name) => JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')) as Manifest,
);
const published = all.filter((manifest) => !manifest.private);
const manifests = published.flatMap(({ name, exports }) => (exports ? { name, exports } : []));
/** Packages of prebuilt binaries, from which nothing is imported. */
const binaries = published.filter(({ exports }) => !exports);
/** Packages that add commands to `g2d`, as a user's own would. */
const tools = all.filter(({ g2d }) => g2d);
/** Every entry point, for example `@g2d/runs`. `testing` needs the test runner's own setting. */
const entries = manifests.flatMap(({ name, exports }) =>
  Object.keys(exports)
    .filter((path) => path !== './package.json')
    .map((path) => name + path.slice(1)),
);

beforeAll(() => {
  const workspaces = [...published, ...tools].flatMap(({ name }) => ['--workspace', name]);
  const tarballs = JSON.parse(
    run('npm', ['pack', '--json', '--pack-destination', folder, ...workspaces], {
      cwd: root,
      maxBuffer: 2 ** 26,
    }),
  ) as { name: string; filename: string }[];
  mkdirSync(project);
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({
      name: 'empty-project',
      private: true,
      dependencies: {
        '@tensorflow/tfjs': '4.22.0',
        ...Object.fromEntries(tarballs.map(({ name, filename }) => [name, `file:../${filename}`])),
      },
    }),
  );
  // Install scripts on, as in a project of somebody who has set nothing.
  run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts=false']);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('packed packages in an empty project', () => {
  it('contain what they need and no tests, fixtures or data', () => {
    for (const { name } of manifests) {
      const files = readdirSync(join(project, 'node_modules', name), { recursive: true }).map(String);
      expect(files, name).toEqual(
        expect.arrayContaining(['package.json', 'README.md', 'LICENSE', 'dist/index.js']),
      );
      expect(
        files.filter((file) => /\.test\.|fixtures|\.npy$|\.zip$|\.gz$/.test(file)),
        name,
      ).toEqual([]);
    }
  });

  it.each(binaries.map(({ name }) => name))(
    '%s: binaries with their hashes and licences, and nothing else',
    (name) => {
      const files = readdirSync(join(project, 'node_modules', name)).sort();
      expect(files).toEqual(
        'LICENSE LICENSE-APACHE NOTICE README.md addon.node.br kernels.node.br package.json prebuilt.json'.split(
          ' ',
        ),
      );
    },
  );

  it.each(entries)('%s: the same exports as ES module and as CommonJS', (entry) => {
    const list = (code: string, flags: string[]): string[] =>
      JSON.parse(
        run('node', [...flags, '-e', code])
          .split('\n')
          .at(-2) as string,
      ) as string[];
    const esm = list(
      `import(${JSON.stringify(entry)}).then((m) => console.log(JSON.stringify(Object.keys(m).filter((k) => k !== 'default' && k !== 'module.exports').sort())))`,
      [],
    );
    const cjs = list(
      `console.log(JSON.stringify(Object.keys(require(${JSON.stringify(entry)})).sort()))`,
      [],
    );
    expect(esm.length).toBeGreaterThan(0);
    expect(cjs).toEqual(esm);
  });

  it('type-check in a strict project, as ES module and as CommonJS', () => {
    const program = entries
      .map(
        (entry, i) => `import * as m${i} from ${JSON.stringify(entry)};\nexport const k${i}: object = m${i};`,
      )
      .join('\n');
    writeFileSync(join(project, 'all.mts'), program);
    writeFileSync(join(project, 'all.cts'), program);
    const compilerOptions = {
      strict: true,
      noEmit: true,
      module: 'nodenext',
      target: 'es2022',
      // The declarations of tfjs-core themselves do not check.
      skipLibCheck: true,
      types: [],
    };
    const files = ['all.mts', 'all.cts'];
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    const { status, stdout } = spawnSync('node', [join(root, 'node_modules/typescript/bin/tsc')], {
      cwd: project,
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });

  it('recognizes an error across the two builds', () => {
    const code = `
      const { G2DError } = require('@g2d/core');
      import('@g2d/smp').then(({ byPrefix }) => {
        try { byPrefix({ a: '' }); } catch (error) { console.log(G2DError.isInstance(error), error.message); }
      });`;
    expect(run('node', ['-e', code])).toMatch(/^true `prefixes\.a` is ""; expected/);
  });

  it('accelerates with one build and seeds dropout with the other', () => {
    const code = `
      const tf = require('@tensorflow/tfjs');
      const cjs = require('@g2d/accelerate');
      import('@g2d/accelerate').then(async (esm) => {
        await tf.setBackend('cpu');
        const layer = tf.layers.dropout({ name: 'dropout', rate: 0.5, inputShape: [64] });
        const model = esm.accelerate(tf.sequential({ layers: [layer] }));
        const pass = (seed) => cjs
          .withDropoutSeed(seed, () => model.apply(tf.ones([1, 64]), { training: true }))
          .dataSync().join();
        console.log(esm.accelerate !== cjs.accelerate, pass(7) === pass(7), pass(7) !== pass(8));
        console.log(Object.keys(cjs).sort().join());
      });`;
    expect(run('node', ['-e', code]).trim().split('\n').slice(-2)).toEqual([
      'true true true',
      'accelerate,bfloat16Problem,freeze,nextDropout,registerTrainingKernels,withDropoutSeed,withSharedStatistics',
    ]);
  });

  it.each(['mjs', 'cjs'])('reads batches with a worker thread, from a .%s file', (extension) => {
    const load = (name: string): string =>
      extension === 'mjs' ? `await import('${name}')` : `require('${name}')`;
    writeFileSync(join(project, 'numbers.mjs'), numbersDataset);
    writeFileSync(
      join(project, `batches.${extension}`),
      `(async () => {
        const tf = ${load('@tensorflow/tfjs')};
        const { batches } = ${load('@g2d/datasets')};
        const { numbers } = await import('./numbers.mjs');
        await tf.setBackend('cpu');
        const sums = [];
        for await (const batch of batches(numbers(), { batchSize: 4, workers: 1 })) {
          sums.push(batch.inputs.x.sum().dataSync()[0]);
          tf.dispose(batch);
        }
        console.log(sums.join());
      })();`,
    );
    expect(run('node', [`batches.${extension}`]).trim()).toBe('12,44,34');
  });

  it('has a g2d command, with those of other packages, that runs a parity case on plain JavaScript', () => {
    expect(tools.map(({ name }) => name)).toEqual(['@g2d/bench', '@g2d/parity', '@g2d/tables']);
    expect(run('npx', ['g2d', '--help'])).toMatch(/train[\s\S]*bench[\s\S]*parity/);
    const parityCase = join(root, 'test/parity/cases/losses');
    const report = JSON.parse(run('npx', ['g2d', 'parity', '--json', '--backend', 'cpu', parityCase])) as {
      cases: { name: string; status: string }[];
    };
    expect(report.cases).toMatchObject([{ name: 'losses', status: 'pass' }]);
  });

  it('has a g2d-native command that explains itself', () => {
    expect(run('npx', ['g2d-native', '--help'])).toMatch(/install[\s\S]*doctor/);
  });
});

/** Ten samples of two equal numbers. */
const numbersDataset = `
import { fromSamples } from '@g2d/datasets';
export const numbers = () => fromSamples({
  name: 'numbers',
  split: 'train',
  classNames: ['all'],
  shapes: { x: [2] },
  ids: Array.from({ length: 10 }, (_, i) => String(i)),
  source: { module: import.meta.url, name: 'numbers', options: {} },
  read: async (id) => ({ label: 0, inputs: { x: Float32Array.of(Number(id), Number(id)) } }),
});
`;
