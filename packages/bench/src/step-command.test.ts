import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { beforeAll, describe, expect, it } from 'vitest';
import { stepDatasets } from './step-datasets.js';
import { parseStepCommand } from './step-options.js';
import { main } from '@g2d/cli';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

/** Runs a command line in this process. */
async function g2d(...args: string[]) {
  let [stdout, stderr] = ['', ''];
  const code = await main(args, { out: (text) => (stdout += text), err: (text) => (stderr += text) });
  return { code, stdout, stderr };
}

const step = (options: string) => g2d('bench', 'step', ...options.split(' ').filter(Boolean));
const setup = (options: string) => parseStepCommand(['step', ...options.split(' ')]).setup;

describe('g2d bench step', () => {
  it('explains itself, before and after the benchmark’s name', async () => {
    for (const args of [['bench'], ['bench', 'step']]) {
      const { code, stdout } = await g2d(...args, '--help');
      expect(code).toBe(0);
      expect(stdout).toMatch(
        /^Usage: g2d bench step --dataset NAME[\s\S]*--json[\s\S]*Exit code[\s\S]*Example/,
      );
    }
  });

  it('prints JSON in the form that scripts rely on, and leaves no tensor behind', async () => {
    const before = tf.memory().numTensors;
    const { code, stdout } = await step(
      '--dataset av-mnist --batch 2 --steps 2 --warmup 1 --backend tensorflow --json',
    );
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as { ms: Record<'min' | 'median' | 'p95', number>; peakRssMB: number };
    expect(report).toEqual({
      dataset: 'av-mnist',
      batch: 2,
      method: 'joint',
      phase: 'joint',
      teachers: 'none',
      precision: 'float32',
      backend: 'tensorflow',
      device: expect.stringMatching(/^[cg]pu$/),
      steps: 2,
      ms: { min: expect.any(Number), median: expect.any(Number), p95: expect.any(Number) },
      peakRssMB: expect.any(Number),
    });
    const { min, median, p95 } = report.ms;
    expect(min).toBeGreaterThan(0);
    expect(median).toBeCloseTo((min + p95) / 2, 1);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('prints a table for a person', async () => {
    const { code, stdout } = await step(
      '--dataset av-mnist --batch 2 --steps 1 --warmup 0 --method g2d --teachers online --scope encoder --prioritized image --backend tensorflow',
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^AV-MNIST, batch 2: G2D, prioritized phase \(image trains\), scope encoder, online teachers, float32, backend tensorflow \(.pu\)\n/,
    );
    expect(stdout).toMatch(/\none step +\d+\.\d ms +\d+\.\d ms +\d+\.\d ms +\d+ MB\n/);
    expect(stdout).toMatch(/\n1 step timed after 0/);
  });

  it('says where the time goes and how far the limits are, and leaves no tensor behind', async () => {
    const before = tf.memory().numTensors;
    const options = '--dataset av-mnist --batch 2 --steps 1 --warmup 1 --backend tensorflow --operations';
    const { code, stdout } = await step(`${options} --json`);
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as {
      ms: { median: number };
      operations: { operation: string; calls?: number; ms: number; share: number; ofLimit?: number }[];
    };
    const { operations } = report;
    expect(report).toMatchObject({
      dataset: 'av-mnist',
      limits: {
        gigaflopsPerSecond: expect.any(Number),
        gigabytesPerSecond: expect.any(Number),
        threads: expect.any(Number),
      },
    });
    const sum = operations.reduce((all, { ms }) => all + ms, 0);
    expect(Math.abs(sum - report.ms.median)).toBeLessThan(0.01 * operations.length);
    expect(operations.at(-1)).toEqual({
      operation: 'JavaScript, and waiting for it',
      ms: expect.any(Number),
      share: expect.any(Number),
    });
    for (const { calls, ms, ofLimit } of operations.slice(0, -1)) {
      expect(calls).toBeGreaterThan(0);
      expect(ms).toBeGreaterThan(0);
      expect(ofLimit).toBeGreaterThanOrEqual(0);
    }
    expect(tf.memory().numTensors).toBe(before);

    const text = await step(options);
    expect(text.stdout).toMatch(
      /\none step .*\n\n1 step timed after 1 to warm up\n\noperation +how many +ms a step/,
    );
    expect(text.stdout).toMatch(/\n\w*Conv\w+ +\d+ +\d+\.\d +\d+\.\d % +[\d.]+ G(?:FLOP|B)\/s +\d+ %\n/);
    expect(text.stdout).toMatch(
      /\nJavaScript, and waiting for it +\d+\.\d +\d+\.\d %\n\nConvolutions and products are \d+\.\d GFLOP a step\.\nMeans of the faster half/,
    );
    expect(text.stdout).toMatch(/ \d+ GFLOP\/s \(products [^)]*\) and \d+ GB\/s .* may exceed 100 %/s);
  });

  it('measures several methods in turn with joint training, and says which do not fit', async () => {
    const before = tf.memory().numTensors;
    const options = '--dataset av-mnist --batch 2 --steps 1 --warmup 0 --rounds 1 --backend tensorflow';
    const { code, stdout, stderr } = await step(`${options} --method di-mml,ume --json`);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const report = JSON.parse(stdout) as {
      methods: {
        method: string;
        ms: number;
        joint: number;
        ratio: Record<string, number>;
        stages?: unknown[];
      }[];
    };
    expect(report).toMatchObject({
      dataset: 'av-mnist',
      batch: 2,
      rounds: 1,
      steps: 1,
      backend: 'tensorflow',
    });
    expect(report).toMatchObject({
      skipped: [{ method: 'ume', reason: expect.stringMatching(/trains nothing/) }],
    });
    expect(report.methods.map(({ method, stages = [] }) => [method, stages.length])).toEqual([['di-mml', 2]]);
    for (const { ms, joint, ratio } of report.methods) {
      expect(Math.min(ms, joint)).toBeGreaterThan(0);
      expect(ratio['min']).toBeLessThanOrEqual(ratio['median']!);
      expect(ratio['max']).toBeGreaterThanOrEqual(ratio['median']!);
    }
    expect(tf.memory().numTensors).toBe(before);
    const table = await step(`${options} --method ume,mm-pareto`);
    expect(table.stdout).toMatch(/\nMMPareto +[\d.]+ ms +[\d.]+ ms +[\d.]+ +[\d.]+ to [\d.]+ +2 +2\n/);
    expect(table.stdout).toMatch(
      /\n1 round of 1 step after 0 to warm up[\s\S]*\nume: --method ume trains nothing/,
    );
  });

  it.each<[problem: string, options: string, message: RegExp]>([
    [
      'no dataset',
      '',
      /--dataset is missing; it can be crema-d, av-mnist, vgg-sound, ur-funny, iemocap, mis-me\.$/,
    ],
    ['an unknown dataset', '--dataset mnist', /--dataset is "mnist"; it can be crema-d, .*\.$/],
    ['an inherited name', '--dataset toString', /--dataset is "toString"; it can be .*\.$/],
    [
      'a method that needs classes, for a regression',
      '--dataset mis-me --method ogm',
      /--method ogm is for classification, and --dataset mis-me is a regression\./,
    ],
    [
      'half a batch',
      '--dataset crema-d --batch 1.5',
      /--batch is "1\.5"; it must be a whole number of at least 1\.$/,
    ],
    ['an empty batch', '--dataset crema-d --batch 0', /--batch is "0"; it must be .* at least 1\.$/],
    ['no steps', '--dataset crema-d --steps 0', /--steps is "0"; it must be .* at least 1\.$/],
    [
      'an unknown method',
      '--dataset crema-d --method ogm-gee',
      /--method is "ogm-gee"; it can be joint, .*ogm-ge, .*recon-boost, .*g2d, or all\.$/,
    ],
    [
      'a prioritized phase of joint training',
      '--dataset crema-d --method joint --phase prioritized',
      /--phase prioritized does not go with --method joint, .* use --method smp or g2d\.$/,
    ],
    [
      'joint training with teachers',
      '--dataset crema-d --teachers online',
      /--teachers online does not go with --method joint, .* use --method ume, umt, mmin, tate, smp, g2d-loss or g2d\.$/,
    ],
    [
      'a method without steps',
      '--dataset crema-d --method ume',
      /--method ume trains nothing: there are no steps: .*\. Use another method\.$/,
    ],
    [
      'options that are none',
      '--dataset crema-d --method agm --options alpha=1',
      /--options is "alpha=1"; it must be a JSON object/,
    ],
    [
      'rounds of one method',
      '--dataset crema-d --rounds 2',
      /--rounds has no effect with one method\. .*--method all\.$/,
    ],
    [
      'a phase of several methods',
      '--dataset crema-d --method agm,smp --phase joint',
      /--phase is for one method, and --method agm,smp has several\. Leave it out\.$/,
    ],
    [
      'several methods of which one is none',
      '--dataset crema-d --method agm,nonsense',
      /--method is "nonsense"; it can be joint, /,
    ],
    [
      'G2D without teachers',
      '--dataset crema-d --method g2d --teachers none',
      /--teachers none does not go with --method g2d, .* Use --teachers cached or online\.$/,
    ],
    [
      'a scope of a method that modulates nothing',
      '--dataset crema-d --method umt --scope conv',
      /--scope has no effect without a method that modulates gradients \(ogm, ogm-ge, smp, g2d\)\..*\.$/,
    ],
    [
      'a prioritized modality in the joint phase',
      '--dataset crema-d --method g2d --phase joint --prioritized audio',
      /--prioritized has no effect without --phase prioritized\..*\.$/,
    ],
    [
      'a modality of another dataset',
      '--dataset crema-d --method g2d --prioritized image --backend tensorflow',
      /--prioritized is "image"; it can be audio, video\.$/,
    ],
    [
      'a precision of teachers that do not run',
      '--dataset crema-d --method g2d --teacher-precision bfloat16',
      /--teacher-precision has no effect without --teachers online\..*\.$/,
    ],
    [
      'bfloat16 where there is none',
      '--dataset av-mnist --precision bfloat16 --backend cpu',
      /bfloat16 needs the backend tensorflow, but this is cpu\..*\.$/,
    ],
    [
      'operations of several methods',
      '--dataset crema-d --method all --operations',
      /--operations is for one method, and --method all has several\. Leave it out\.$/,
    ],
    [
      'operations of several processes',
      '--dataset crema-d --processes 2 --operations',
      /Several processes do not go with --operations\. Leave one of them out\.$/,
    ],
    [
      'operations of another backend',
      '--dataset av-mnist --operations --backend cpu',
      /--operations needs the backend tensorflow, but this is cpu\. Leave it out, or .*\.$/,
    ],
    [
      'an unknown backend',
      '--dataset crema-d --backend gpu',
      /--backend is "gpu"; it can be tensorflow, wasm, cpu\.$/,
    ],
    [
      'an unknown option',
      '--dataset crema-d --stps 3',
      /Unknown option '--stps' \(did you mean --steps\?\); see g2d bench --help\.$/,
    ],
  ])('exits with 2 and one sentence for %s', async (_, options, message) => {
    const { code, stdout, stderr } = await step(options);
    expect(stderr.trimEnd()).toMatch(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  it('refuses a benchmark that it does not have, and none', async () => {
    expect(await g2d('bench', 'epoch', '--dataset', 'crema-d')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/g2d bench step .* is "epoch"/),
    });
    expect((await g2d('bench')).code).toBe(2);
  });
});

describe('the options of g2d bench step', () => {
  it('default to what a method needs', () => {
    expect(setup('--dataset crema-d')).toMatchObject({ method: 'joint', phase: 'joint', teachers: 'none' });
    expect(setup('--dataset crema-d --method g2d')).toMatchObject({
      phase: 'prioritized',
      teachers: 'cached',
      scope: 'conv',
      prioritized: 'video',
    });
    expect(setup('--dataset ur-funny --method smp')).toMatchObject({
      scope: 'encoder',
      prioritized: 'visual',
    });
    expect(setup('--dataset crema-d --method umt --teachers online')).toMatchObject({
      phase: 'joint',
      teacherPrecision: 'float32',
    });
  });

  it('know the shapes of the datasets', () => {
    for (const { modalities, costliest } of Object.values(stepDatasets)) {
      expect(Object.keys(modalities)).toContain(costliest);
    }
    expect(stepDatasets['crema-d']?.modalities['audio']?.shape).toEqual([257, 188, 1]);
    expect(stepDatasets['vgg-sound']?.modalities['video']?.shape).toEqual([3, 224, 224, 3]);
  });
});
