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
const write = (name: string, text: string): void => writeFileSync(join(project, name), text);

beforeAll(() => {
  const pack = ['pack', '--json', '--pack-destination', folder, '--workspace', '@g2d/smp'];
  const [tarball] = JSON.parse(run('npm', pack, root)) as [{ filename: string }];
  mkdirSync(project);
  const dependencies = { '@tensorflow/tfjs': '4.22.0', '@g2d/smp': `file:../${tarball.filename}` };
  write('package.json', JSON.stringify({ name: 'empty-project', private: true, dependencies }));
  run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts']);
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
