// @g2d/smp as somebody with a trainer gets it: its tarball and TensorFlow.js, and nothing else of this repository.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'g2d-smp-alone-'));
const project = join(folder, 'project');

const run = (command: string, args: string[], cwd = project): string =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const write = (name: string, text: string, cwd = project): void => writeFileSync(join(cwd, name), text);
/** A project with some packages of the registry and the packed one. */
function makeProject(cwd: string, dependencies: Readonly<Record<string, string>>): void {
  mkdirSync(cwd);
  const all = { ...dependencies, '@g2d/smp': `file:../${tarball}` };
  write('package.json', JSON.stringify({ name: 'empty-project', private: true, dependencies: all }), cwd);
  run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'], cwd);
}
let tarball: string;

beforeAll(() => {
  const pack = ['pack', '--json', '--pack-destination', folder, '--workspace', '@g2d/smp'];
  const [{ filename }] = JSON.parse(run('npm', pack, root)) as [{ filename: string }];
  tarball = filename;
  makeProject(project, { '@tensorflow/tfjs': '4.22.0' });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('@g2d/smp alone in an empty project', () => {
  it('brings no other package along', () => {
    expect(readdirSync(join(project, 'node_modules/@g2d'))).toEqual(['smp']);
  });

  it.each(['mjs', 'cjs'])('trains on plain TensorFlow.js, from a .%s file', (extension) => {
    const load = (name: string): string =>
      extension === 'mjs' ? `await import('${name}')` : `require('${name}')`;
    write(
      `train.${extension}`,
      `(async () => {
        const tf = ${load('@tensorflow/tfjs')};
        const { byPrefix, modalityConfidence, SequentialModalityPrioritization } = ${load('@g2d/smp')};
        const audio = tf.variable(tf.scalar(1), true, 'audio/w');
        const video = tf.variable(tf.scalar(1), true, 'video/w');
        const variables = [audio, video];
        const smp = new SequentialModalityPrioritization({
          modalityOf: byPrefix({ audio: 'audio/', video: 'video/' }), phaseEpochs: [1, 1], variables,
        });
        const optimizer = tf.train.momentum(0.1, 0.9);
        const rho = (logit) => modalityConfidence(tf.tensor1d([0], 'int32'), tf.tensor2d([[logit, 0]])).dataSync()[0];
        smp.update({ epoch: 1, confidence: { audio: rho(3), video: rho(0) } });
        tf.tidy(() => {
          const { grads } = tf.variableGrads(() => tf.square(tf.add(audio, video)), smp.activeVariables(variables));
          optimizer.applyGradients(smp.modulate(grads, variables));
        });
        let code;
        try { byPrefix({ audio: '' }); } catch (error) { code = error.code; }
        console.log(JSON.stringify([audio.dataSync()[0], video.dataSync()[0] !== 1, code]));
      })();`,
    );
    expect(JSON.parse(run('node', [`train.${extension}`]))).toEqual([1, true, 'G2D_OPTION']);
  });

  it.each(['mts', 'cts'])('does not compile a misspelt modality, in a strict .%s file', (extension) => {
    write(
      `misspelt.${extension}`,
      `import { byPrefix, SequentialModalityPrioritization } from '@g2d/smp';
      const smp = new SequentialModalityPrioritization({ modalityOf: byPrefix({ audio: 'a/', video: 'v/' }), phaseEpochs: [1, 1] });
      smp.update({ epoch: 1, confidence: { audio: 1, video: 0 } });
      const kappa: number = smp.coefficients.audio;
      // @ts-expect-error There is no vidoe.
      smp.update({ epoch: 1, confidence: { audio: kappa, vidoe: 0 } });
      // @ts-expect-error Neither here.
      smp.coefficients.vidoe;`,
    );
    // The declarations of tfjs-core themselves do not check.
    const compilerOptions = { strict: true, noEmit: true, module: 'nodenext', target: 'es2022' };
    const files = [`misspelt.${extension}`];
    write(
      'tsconfig.json',
      JSON.stringify({ compilerOptions: { ...compilerOptions, skipLibCheck: true, types: [] }, files }),
    );
    const { status, stdout } = spawnSync('node', [join(root, 'node_modules/typescript/bin/tsc')], {
      cwd: project,
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });

  it('becomes 4 kB in a bundle, gzipped and without TensorFlow.js', () => {
    write('all-of-smp.mjs', "export * from '@g2d/smp';\n");
    const options = ['--bundle', '--minify', '--format=esm', '--external:@tensorflow/*'];
    const code = run(join(root, 'node_modules/.bin/esbuild'), ['all-of-smp.mjs', ...options]);
    expect(code).toContain('@tensorflow/tfjs-core');
    expect(gzipSync(code, { level: 9 }).length).toBeLessThanOrEqual(4000);
  });
});

// The oldest of the peer range and one between. Three packages of each: all that training on a CPU takes.
describe.each(['2.8.6', '3.21.0'])('with TensorFlow.js %s, as older trainers have it', (version) => {
  const cwd = join(folder, version);
  // The oldest compiler that finds the declarations of a package with two kinds of modules.
  const compiler = version === '2.8.6' ? { typescript: '4.7.4' } : undefined;

  beforeAll(() => {
    const packages = ['core', 'layers', 'backend-cpu'].map((name) => [`@tensorflow/tfjs-${name}`, version]);
    makeProject(cwd, { ...Object.fromEntries(packages), ...compiler });
  });

  it.each(['mjs', 'cjs'])('one list of callbacks, early stopping among them, in a .%s file', (extension) => {
    const load = (name: string): string =>
      extension === 'mjs' ? `await import('${name}')` : `require('${name}')`;
    write(
      `fit.${extension}`,
      `(async () => {
        const core = ${load('@tensorflow/tfjs-core')};
        const tf = { ...core, ...(${load('@tensorflow/tfjs-layers')}) };
        ${load('@tensorflow/tfjs-backend-cpu')};
        const { byLayers, PrioritizedOptimizer, SequentialModalityPrioritization } = ${load('@g2d/smp')};
        const dense = (units) => tf.layers.dense({ units, inputShape: [3] });
        const [audio, video] = [1, 2].map(() => tf.sequential({ layers: [dense(2)] }));
        const inputs = [1, 2].map(() => tf.input({ shape: [3] }));
        const both = tf.layers.concatenate().apply([audio.apply(inputs[0]), video.apply(inputs[1])]);
        const model = tf.model({ inputs, outputs: tf.layers.dense({ units: 1 }).apply(both) });
        const smp = new SequentialModalityPrioritization({
          modalityOf: byLayers({ audio, video }), phaseEpochs: [1, 1], ranking: { fixed: ['video', 'audio'] }, onZero: 'freeze',
        });
        const optimizer = new PrioritizedOptimizer(tf.train.momentum(0.1, 0.9), smp);
        model.compile({ optimizer, loss: 'meanSquaredError' });
        const kernels = () => [audio, video].map((model) => model.getWeights()[0].dataSync().join());
        const seen = [kernels()];
        const follow = new tf.CustomCallback({
          onEpochBegin: async (epoch) => smp.update({ epoch: epoch + 1 }),
          onEpochEnd: async () => void seen.push(kernels()),
        });
        const stop = tf.callbacks.earlyStopping({ monitor: 'loss', patience: 9 });
        const [x, y] = [tf.ones([4, 3]), tf.zeros([4, 1])];
        await model.fit([x, x], y, { epochs: 2, verbose: 0, callbacks: [follow, stop] });
        const moved = seen.slice(1).map((now, e) => now.map((kernel, i) => kernel !== seen[e][i]));
        console.log(JSON.stringify({ version: tf.version_core, rate: optimizer.learningRate, moved }));
      })();`,
      cwd,
    );
    const printed = run('node', [`fit.${extension}`], cwd)
      .trim()
      .split('\n')
      .at(-1) as string;
    expect(JSON.parse(printed)).toEqual({
      version,
      rate: 0.1,
      moved: [
        [false, true],
        [true, true],
      ],
    });
  });

  it.skipIf(!compiler)('and TypeScript 4.7, which knows a misspelt modality', () => {
    write(
      'types.ts',
      `import * as tf from '@tensorflow/tfjs-core';
      import { byLayers, byPrefix, PrioritizedOptimizer, SequentialModalityPrioritization } from '@g2d/smp';
      const modalityOf = byPrefix({ audio: 'a/', video: 'v/' });
      const smp = new SequentialModalityPrioritization({ modalityOf, phaseEpochs: [1, 1], modalities: ['video', 'audio'] });
      export const optimizer: tf.Optimizer = new PrioritizedOptimizer(tf.train.sgd(0.1), smp);
      export const kappa: number = smp.coefficients.audio;
      export const modalities: readonly ('left' | 'right')[] | undefined = byLayers({ left: { weights: [] }, right: [] }).modalities;
      // @ts-expect-error There is no vidoe.
      smp.coefficients.vidoe;
      // @ts-expect-error Neither here.
      new SequentialModalityPrioritization({ modalityOf, phaseEpochs: [1, 1], modalities: ['audio', 'vidoe'] });`,
      cwd,
    );
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2020'];
    for (const kind of [
      ['--module', 'commonjs', '--moduleResolution', 'node'],
      ['--module', 'node16', '--moduleResolution', 'node16'],
    ]) {
      const compile = [join(cwd, 'node_modules/typescript/bin/tsc'), ...options, ...kind, 'types.ts'];
      const { status, stdout } = spawnSync('node', compile, { cwd, encoding: 'utf8' });
      expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    }
  });
});
