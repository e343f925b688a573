// @g2d/methods as somebody with a data pipeline gets it: the loop and the methods, TensorFlow.js, and nothing that reads files.
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'g2d-methods-alone-'));
const project = join(folder, 'project');

// A bundle is longer than the 1 MiB that are read by default.
const run = (command: string, args: string[], cwd = project): string =>
  execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 2 ** 24,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
const write = (name: string, text: string): void => writeFileSync(join(project, name), text);
const dependenciesOf = (name: string): string[] => {
  const { dependencies = {} } = JSON.parse(
    readFileSync(join(root, 'packages', name.replace('@g2d/', ''), 'package.json'), 'utf8'),
  ) as { dependencies?: object };
  return Object.keys(dependencies);
};

/** A package and what it brings along of this repository; others are named too, but have nothing behind them here. */
function closureOf(name: string, found = new Set<string>()): Set<string> {
  if (found.has(name)) return found;
  found.add(name);
  if (name.startsWith('@g2d/')) for (const inner of dependenciesOf(name)) closureOf(inner, found);
  return found;
}
const closure = [...closureOf('@g2d/methods')].sort();

beforeAll(() => {
  const ours = closure.filter((name) => name.startsWith('@g2d/'));
  const workspaces = ours.flatMap((name) => ['--workspace', name]);
  const tarballs = JSON.parse(
    run('npm', ['pack', '--json', '--pack-destination', folder, ...workspaces], root),
  ) as { name: string; filename: string }[];
  mkdirSync(project);
  const dependencies = {
    '@tensorflow/tfjs': '4.22.0',
    ...Object.fromEntries(tarballs.map(({ name, filename }) => [name, `file:../${filename}`])),
  };
  write('package.json', JSON.stringify({ name: 'empty-project', private: true, dependencies }));
  run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts']);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('@g2d/methods alone in an empty project', () => {
  it('brings two packages of other people: a schema library and a CSV reader', () => {
    const others = closure.filter((name) => !name.startsWith('@g2d/'));
    expect(others).toEqual(['csv-parse', 'zod']);
    const installed = readdirSync(join(project, 'node_modules/@g2d')).map((name) => `@g2d/${name}`);
    expect([...installed, ...others].sort()).toEqual(closure);
    // Neither has dependencies of its own, and none of the optional ones came along.
    for (const name of others) {
      const { dependencies = {} } = JSON.parse(
        readFileSync(join(project, 'node_modules', name, 'package.json'), 'utf8'),
      ) as { dependencies?: object };
      expect(dependencies).toEqual({});
    }
    for (const name of ['sharp', 'h5wasm', '@g2d/datasets'])
      expect(existsSync(join(project, 'node_modules', name))).toBe(false);
  });

  it.each(['mjs', 'cjs'])('trains, and says what reading a dataset needs, from a .%s file', (extension) => {
    const load = (name: string): string =>
      extension === 'mjs' ? `await import('${name}')` : `require('${name}')`;
    write(
      `train.${extension}`,
      `(async () => {
        const tf = ${load('@tensorflow/tfjs')};
        const { smallImageEncoder } = ${load('@g2d/encoders')};
        const { concatFusion, MultimodalModel } = ${load('@g2d/fusion')};
        const { ogm } = ${load('@g2d/methods')};
        const { evaluate, inferenceOf, train } = ${load('@g2d/trainer')};
        await tf.setBackend('cpu');
        const encoder = (name) => smallImageEncoder({ name, inputShape: [28, 28, 1], seed: 0 });
        const model = new MultimodalModel({
          encoders: { left: encoder('left'), right: encoder('right') },
          fusion: concatFusion({ widths: { left: 32, right: 32 }, classes: 2, seed: 0 }),
        });
        const image = () => tf.randomNormal([2, 28, 28, 1]);
        await train({
          model,
          methods: [ogm({ alpha: 0.8 })],
          epochs: 1,
          optimizer: { learningRate: 0.001, momentum: 0.9 },
          batches: async function* () {
            yield { inputs: { left: image(), right: image() }, labels: tf.tensor1d([0, 1], 'int32'), ids: ['a', 'b'] };
          },
          onEpoch: ({ epoch, loss }) => console.log(epoch, Number.isFinite(loss.total)),
        });
        await evaluate(inferenceOf(model), { task: 'classification' }).catch(({ message }) => console.log(message));
      })();`,
    );
    expect(
      run('node', [`train.${extension}`])
        .trim()
        .split('\n'),
    ).toEqual([
      '1 true',
      'Reading a dataset needs the package @g2d/datasets. Run npm install @g2d/datasets.',
    ]);
  });

  it('becomes a bundle for a browser', () => {
    write(
      'page.mjs',
      "import { train } from '@g2d/trainer';\nimport { ogm } from '@g2d/methods';\nconsole.log(train, ogm);\n",
    );
    const options = ['--bundle', '--platform=browser', '--format=esm', '--external:@tensorflow/*'];
    expect(run(join(root, 'node_modules/.bin/esbuild'), ['page.mjs', ...options])).toContain(
      'meanByModality',
    );
  });
});
