import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fakeProject, temporaryFolder } from '../test/fake-wheel.js';
import { rightDifferences } from '../test/right-answer.js';
import type { Library } from './cache.js';
import { installKernels, kernelsFile, loadKernels, readKernels, type KernelsRequest } from './kernels.js';
import { bindingFile } from './place.js';
import { processor } from './processor.js';
import { findTfjsNode } from './project.js';
import type { RunCommand } from './run-command.js';
import { testKernels } from './test-kernels.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

const done = (stdout = '') => Promise.resolve({ code: 0, stdout, stderr: '', startError: null });
const installed = () => findTfjsNode(process.cwd())!;

/** An installation without kernels; programs that build and test them, counted. */
function request(change: { compiler?: RunCommand; test?: RunCommand; variant?: 'cpu' | 'gpu' } = {}) {
  const tfjs = findTfjsNode(fakeProject())!;
  mkdirSync(dirname(bindingFile(tfjs)), { recursive: true });
  const manifest = { version: '9.9.9', arch: 'x64', variant: change.variant ?? 'cpu' };
  const library = { folder: temporaryFolder(), id: 'id', stamp: 'stamp', manifest } as unknown as Library;
  const counts = { compiler: 0, test: 0 };
  const notes: string[] = [];
  const run: RunCommand = (command, args, options) => {
    if (args[0] === '-e') {
      counts.test += 1;
      return change.test?.(command, args, options) ?? done(JSON.stringify(rightDifferences));
    }
    const out = args.indexOf('-o');
    if (out < 0) return done('fake compiler 1.0\n');
    counts.compiler += 1;
    if (change.compiler) return change.compiler(command, args, options);
    writeFileSync(args[out + 1]!, 'kernels');
    return done();
  };
  const asked: KernelsRequest = {
    cache: temporaryFolder(),
    library,
    tfjs,
    run,
    signal: undefined,
    again: false,
    build: true,
    onStage: () => {},
    note: (line) => notes.push(line),
  };
  return { asked, tfjs, counts, notes };
}

describe('installKernels', () => {
  it('builds, places and tests them once', async () => {
    const { asked, tfjs, counts, notes } = request();
    await installKernels(asked);
    await installKernels(asked);
    expect(readFileSync(kernelsFile(tfjs), 'utf8')).toBe('kernels');
    expect(readKernels(tfjs)).toMatchObject({ sha256: expect.any(String), problem: null });
    expect(counts).toEqual({ compiler: 1, test: 1 });
    await installKernels({ ...asked, again: true });
    expect(counts).toEqual({ compiler: 2, test: 2 });
    rmSync(kernelsFile(tfjs));
    await installKernels(asked);
    expect(existsSync(kernelsFile(tfjs))).toBe(true);
    expect(notes).toEqual([]);
  });

  it('takes prebuilt ones, and builds them where those do not work', async () => {
    const works = request();
    await installKernels({ ...works.asked, build: false });
    expect(works.counts).toEqual({ compiler: 0, test: 1 });
    const { sha256 } = readKernels(works.tfjs)!;
    expect(
      createHash('sha256')
        .update(readFileSync(kernelsFile(works.tfjs)))
        .digest('hex'),
    ).toBe(sha256);
    let file = '';
    const fails = request({
      test: () =>
        done(readFileSync(file, 'utf8') === 'kernels' ? JSON.stringify(rightDifferences) : 'no answer'),
    });
    file = kernelsFile(fails.tfjs);
    await installKernels({ ...fails.asked, build: false });
    expect(readFileSync(file, 'utf8')).toBe('kernels');
    expect(fails.counts).toEqual({ compiler: 1, test: 2 });
  });

  it('builds them again where the cache has others, with a hash that fits them', async () => {
    let file = '';
    const { asked, tfjs, counts, notes } = request({
      test: () =>
        readFileSync(file, 'utf8') === 'kernels'
          ? done(JSON.stringify(rightDifferences))
          : Promise.resolve({ code: null, stdout: '', stderr: '', startError: null }),
    });
    file = kernelsFile(tfjs);
    await installKernels(asked);
    const cached = join(
      asked.cache,
      'addons',
      readdirSync(join(asked.cache, 'addons'))[0]!,
      'g2d_kernels.node',
    );
    writeFileSync(cached, 'strange');
    writeFileSync(`${cached}.sha256`, createHash('sha256').update('strange').digest('hex'));
    rmSync(kernelsFile(tfjs));
    await installKernels(asked);
    expect(readFileSync(kernelsFile(tfjs), 'utf8')).toBe('kernels');
    expect(counts).toEqual({ compiler: 2, test: 3 });
    expect(notes).toEqual([]);
  });

  it.each<[string, Parameters<typeof request>[0], RegExp]>([
    [
      'there is a compiler error',
      {
        compiler: () => Promise.resolve({ code: 1, stdout: '', stderr: 'x.cc: error: no', startError: null }),
      },
      /could not build the training kernels.*error: no/,
    ],
    [
      'they crash',
      { test: () => Promise.resolve({ code: null, stdout: '', stderr: '', startError: null }) },
      /they do not run \(the process died\)/,
    ],
    [
      'one is wrong',
      { test: () => done(JSON.stringify({ ...rightDifferences, 'BatchNormAdd, relu': '0.5' })) },
      /BatchNormAdd, relu differs from TensorFlow by 0.5/,
    ],
    [
      'one is not a number',
      { test: () => done(JSON.stringify({ ...rightDifferences, 'BatchNormAdd, relu': 'Infinity' })) },
      /differs from TensorFlow by Infinity/,
    ],
    [
      'a convolution is wrong',
      {
        test: () =>
          done(JSON.stringify({ ...rightDifferences, 'Conv3x3 of 21 x 40, padding 0,2, bias': '0.01' })),
      },
      /padding 0,2, bias differs from TensorFlow by 0.01/,
    ],
    ['the test breaks off', { test: () => done('{}') }, /incomplete/],
    [
      'some convolutions were not tested',
      {
        test: () =>
          done(JSON.stringify({ ...rightDifferences, 'Conv3x3 of 21 x 40, padding 1,1': undefined })),
      },
      /incomplete/,
    ],
  ])('leaves them out, with one note and once, when %s', async (_, change, message) => {
    const { asked, tfjs, counts, notes } = request(change);
    await installKernels(asked);
    expect(notes.join()).toMatch(message);
    expect(notes).toHaveLength(1);
    expect(existsSync(kernelsFile(tfjs))).toBe(false);
    expect(readKernels(tfjs)).toMatchObject({ sha256: null, problem: expect.stringMatching(message) });
    const before = { ...counts };
    await installKernels(asked);
    expect(counts).toEqual(before);
    expect(notes).toHaveLength(1);
  });

  it('has none for the CUDA build', async () => {
    const { asked, tfjs, counts } = request({ variant: 'gpu' });
    await installKernels(asked);
    expect(counts).toEqual({ compiler: 0, test: 0 });
    expect(readKernels(tfjs)).toBeNull();
  });
});

describe('loadKernels', () => {
  it('loads them, and does without where there are none, none that passed, or none are wanted', () => {
    const { tfjs } = request();
    expect(loadKernels(tfjs, {})).toBe(false);
    expect(loadKernels(installed(), { G2D_KERNELS: 'off' })).toBe(false);
    expect(loadKernels(installed(), {})).toBe(true);
  });

  it('does without a file that is no library', async () => {
    const { asked, tfjs } = request();
    await installKernels(asked);
    writeFileSync(join(dirname(bindingFile(tfjs)), 'g2d-native.json'), '{ "format": 1 }');
    expect(loadKernels(tfjs, {})).toBe(false);
  });
});

/** Runs a program in a process of its own that has loaded TensorFlow; `again` loads a copy of the kernels. */
function program(code: string, env: NodeJS.ProcessEnv = {}): string {
  const { folder } = installed();
  const copy = join(temporaryFolder(), 'copy.node');
  copyFileSync(kernelsFile(installed()), copy);
  const text = `
    const util = require('node:util');
    util.isNullOrUndefined = (value) => value === null || value === undefined;
    util.isArray = Array.isArray;
    const worker = require('node:worker_threads');
    const load = (file) => process.dlopen({ exports: {} }, file);
    const kernels = ${JSON.stringify(kernelsFile(installed()))};
    const copy = ${JSON.stringify(copy)};
    const tf = require(${JSON.stringify(folder)});
    load(kernels);
    const batchNorm = (shape) => {
      const { binding } = tf.backend();
      const size = shape.reduce((a, b) => a * b);
      const x = tf.tensor(Float32Array.from({ length: size }, (_, i) => Math.sin(i * i)), shape);
      const [ones, zeros] = [tf.ones([shape[3]]), tf.zeros([shape[3]])];
      const attributes = [
        { name: 'epsilon', type: binding.TF_ATTR_FLOAT, value: 0.001 },
        { name: 'momentum', type: binding.TF_ATTR_FLOAT, value: 0.1 },
        { name: 'slope', type: binding.TF_ATTR_FLOAT, value: 1 },
        { name: 'most', type: binding.TF_ATTR_FLOAT, value: Infinity },
      ];
      return tf.backend().executeMultipleOutputs('G2dV2BatchNorm', attributes, [x, ones, zeros, zeros, ones], 6);
    };
    const values = (...shape) =>
      tf.tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i * i)), shape);
    const convolution = (name, inputs, padding = [1, 1]) =>
      tf.backend().executeSingleOutput(
        'G2dV1Conv3x3' + name,
        [{ name: 'padding', type: tf.backend().binding.TF_ATTR_INT, value: padding }],
        inputs,
      );
    const sides = (a, b, bfloat16 = false) => [
      { name: 'transpose_a', type: tf.backend().binding.TF_ATTR_BOOL, value: a },
      { name: 'transpose_b', type: tf.backend().binding.TF_ATTR_BOOL, value: b },
      { name: 'round_to_bfloat16', type: tf.backend().binding.TF_ATTR_BOOL, value: bfloat16 },
    ];
    const product = (a, b, inputs, bfloat16) => tf.backend().executeSingleOutput('G2dV2MatMul', sides(a, b, bfloat16), inputs);
    const products = (...shape) => {
      const square = tf.tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i * i)), shape);
      return [product(false, true, [square, square]), product(true, false, [square, square])];
    };
    const taps = (name, window, inputs, size, bfloat16 = false) =>
      tf.backend().executeSingleOutput(
        'G2dV2Conv2D' + name,
        [
          { name: 'window', type: tf.backend().binding.TF_ATTR_INT, value: window },
          ...(size ? [{ name: 'size', type: tf.backend().binding.TF_ATTR_INT, value: size }] : []),
          { name: 'round_to_bfloat16', type: tf.backend().binding.TF_ATTR_BOOL, value: bfloat16 },
        ],
        inputs,
      );
    const strided = ([batch, height, width, channels], outputs) => {
      const [x, filter] = [values(batch, height, width, channels), values(3, 3, channels, outputs)];
      const window = [3, 3, 2, 2, 1, 1];
      const y = taps('', window, [x, filter]);
      return [y, taps('BackpropInput', window, [filter, y], [height, width]), taps('BackpropFilter', window, [x, y])];
    };
    const depthwise = ([batch, height, width, channels], stride) => {
      const [x, filter] = [values(batch, height, width, channels), values(3, 3, channels, 1)];
      const { binding } = tf.backend();
      const geometry = { name: 'geometry', type: binding.TF_ATTR_INT, value: [stride, stride, 1, 1, 1, 1, height, width, 3] };
      const activation = [['slope', 0], ['most', 6]].map(([name, value]) => ({ name, type: binding.TF_ATTR_FLOAT, value }));
      const run = (name, attributes, inputs) => tf.backend().executeSingleOutput('G2dV1Depthwise' + name, attributes, inputs);
      const y = run('', [geometry, ...activation], [x, filter, tf.zeros([channels])]);
      return [y, run('BackpropInput', [geometry], [filter, y]), run('BackpropFilter', [geometry], [x, y])];
    };
    const convolutions = ([batch, height, width, channels], outputs) => {
      const [x, filter] = [values(batch, height, width, channels), values(3, 3, channels, outputs)];
      const y = convolution('', [x, filter]);
      return [y, convolution('BackpropInput', [filter, y]), convolution('BackpropFilter', [x, y])];
    };
    const rows = ([batch, time, width]) => {
      const { binding } = tf.backend();
      const run = (name, attributes, inputs, outputs, version = 2) =>
        tf.backend().executeMultipleOutputs('G2dV' + version + name, attributes, inputs, outputs);
      const float = (name, value) => ({ name, type: binding.TF_ATTR_FLOAT, value });
      const draw = (seed) => tf.tensor1d([2 ** 29, 1, seed], 'int32');
      const [x, residual, dy] = [1, 2, 3].map((k) => values(batch, time, width).add(k).mul(k));
      const [gamma, beta] = [values(width), values(width).mul(2)];
      const factor = float('factor', 1.5);
      const normalized = run('LayerNorm', [float('epsilon', 0.01), factor], [x, residual, gamma, beta, draw(3)], 4);
      const [, sum, mean, inverse] = normalized;
      return [
        ...run('Dropout', [factor], [x, draw(4)], 1),
        ...normalized,
        ...run('LayerNormGrad', [factor], [sum, dy, gamma, mean, inverse, draw(3)], 4),
        ...run('GradientNoise', [], [x, tf.tensor1d([0.5]), tf.tensor1d([5], 'int32')], 1, 1),
      ];
    };
    const attention = ([batch, time, width], heads) => {
      const { binding } = tf.backend();
      const attributes = [
        { name: 'factor', type: binding.TF_ATTR_FLOAT, value: 1.5 },
        { name: 'scale', type: binding.TF_ATTR_FLOAT, value: 0.7 },
        { name: 'heads', type: binding.TF_ATTR_INT, value: [heads] },
      ];
      const draw = tf.tensor1d([2 ** 29, 1, ...Array.from({ length: heads }, (_, i) => i)], 'int32');
      const operands = [values(batch, time, 3 * width), values(batch, 1, time), draw];
      const run = (name, inputs) => tf.backend().executeSingleOutput('G2dV2' + name, attributes, inputs);
      const y = run('Attention', operands);
      return [y, run('AttentionGrad', [...operands, y])];
    };
    ${code}`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', text], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '', TF_CPP_MIN_LOG_LEVEL: '3', ...env },
  });
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.trim();
}

describe('the kernels that are installed here', () => {
  it('agree with TensorFlow', async () => {
    expect(await testKernels(installed(), kernelsFile(installed()))).toBeNull();
  });

  it('give the same bits with any number of threads', () => {
    const code = `
      const hash = require('node:crypto').createHash('sha256');
      const tensors = [
        ...batchNorm([16, 31, 29, 40]),
        ...convolutions([16, 31, 29, 32], 64),
        ...convolutions([3, 9, 7, 160], 96),
        ...products(333, 1111),
        ...products(7, 33, 65),
        ...rows([5, 77, 50]),
        ...rows([16, 20, 768]),
        ...attention([3, 100, 128], 2),
        ...attention([5, 7, 50], 5),
        taps('', [3, 3, 2, 2, 1, 1], [tf.ones([3, 9, 8, 40]), tf.ones([3, 3, 40, 50]).mul(0.1)]),
        ...strided([16, 40, 33, 32], 64),
        ...strided([16, 40, 33, 3], 64),
        taps('BackpropFilter', [1, 1, 1, 1, 0, 0], [tf.randomNormal([16, 20, 20, 24], 0, 1, 'float32', 3), tf.ones([16, 20, 20, 30])]),
        ...depthwise([16, 31, 29, 43], 1),
        ...depthwise([4, 14, 15, 40], 2),
      ];
      for (const tensor of tensors) hash.update(tensor.dataSync());
      console.log(hash.digest('hex'));`;
    const [one, ...others] = ['1', '2', '5'].map((threads) =>
      program(code, { TF_NUM_INTRAOP_THREADS: threads }),
    );
    expect(others).toEqual([one, one]);
    // Where the processor has AVX-512: its loops and those for AVX2.
    expect(program(code, { ONEDNN_MAX_CPU_ISA: 'AVX2' })).toBe(one);
  });

  it('give the same bits in bfloat16 too, where there are products of it', () => {
    const code = `
      const hash = require('node:crypto').createHash('sha256');
      try {
        for (const size of [333, 40, 1]) {
          const [a, b] = [values(size, 1111), values(1111, size)];
          hash.update(product(false, false, [a, b], true).dataSync());
          hash.update(product(true, true, [a, b], true).dataSync());
        }
        const [x, filter, window] = [values(3, 19, 18, 40), values(3, 3, 40, 50), [3, 3, 2, 2, 1, 1]];
        const y = taps('', window, [x, filter], null, true);
        hash.update(y.dataSync());
        hash.update(taps('BackpropInput', window, [filter, y], [19, 18], true).dataSync());
        hash.update(taps('BackpropFilter', window, [x, y], null, true).dataSync());
        console.log(hash.digest('hex'));
      } catch (error) {
        console.log(/vectors of bfloat16|registered/.test(error.message));
      }`;
    const { vectors, bfloat16, amx } = processor();
    const isThere = process.arch === 'x64' && vectors === 'AVX-512' && bfloat16 && !amx;
    const [one, ...others] = ['1', '2', '5'].map((threads) =>
      program(code, { TF_NUM_INTRAOP_THREADS: threads }),
    );
    expect(others).toEqual([one, one]);
    expect(one).toMatch(isThere ? /^[0-9a-f]{64}$/ : /^true$/);
    expect(program(code, { ONEDNN_MAX_CPU_ISA: 'AVX512_CORE' })).toBe('true');
  });

  it('have no product and no convolution where oneDNN may not use its vectors either', async () => {
    const code = `
      for (const run of [() => convolutions([1, 4, 4, 32], 32), () => products(2, 2)])
        try {
          run();
          console.log('no error');
        } catch (error) {
          console.log(/'G2d(V1Conv3x3|V2MatMul)' is neither .* registered/.test(error.message));
        }`;
    expect(program(code, { ONEDNN_MAX_CPU_ISA: 'SSE41' })).toBe('true\ntrue');
    vi.stubEnv('ONEDNN_MAX_CPU_ISA', 'SSE41');
    expect(await testKernels(installed(), kernelsFile(installed()))).toBeNull();
  });

  it('are registered once, also from a second copy', () => {
    expect(program('load(kernels); load(copy); console.log(batchNorm([1, 2, 2, 1]).length);')).toBe('6');
  });

  it('outlive a worker thread that loaded them, and compute in several at once', () => {
    const code = `
      const sums = () =>
        [batchNorm([4, 16, 16, 8])[0], ...convolutions([2, 15, 15, 64], 96), ...products(50, 300), ...products(9, 20, 30)]
          .map((tensor) => tensor.dataSync().reduce((sum, value) => sum + value, 0))
          .join();
      const run = () => new Promise((resolve, reject) => {
        const text = \`
          const util = require('node:util');
          util.isNullOrUndefined = (value) => value === null || value === undefined;
          const { workerData, parentPort } = require('node:worker_threads');
          const tf = require(workerData.folder);
          process.dlopen({ exports: {} }, workerData.kernels);
          const batchNorm = \${batchNorm};
          const values = \${values};
          const convolution = \${convolution};
          const convolutions = \${convolutions};
          const sides = \${sides};
          const product = \${product};
          const products = \${products};
          const sums = \${sums};
          let answer;
          for (let i = 0; i < 20; i++) answer = sums();
          parentPort.postMessage(answer);\`;
        const thread = new worker.Worker(text, { eval: true, workerData: { folder: ${JSON.stringify(installed().folder)}, kernels } });
        let answer;
        thread.on('message', (value) => { answer = value; });
        thread.on('error', reject);
        thread.on('exit', () => resolve(answer));
      });
      Promise.all([run(), run(), run()]).then((answers) => {
        const own = sums();
        console.log(answers.every((answer) => answer === own));
      });`;
    expect(program(code)).toBe('true');
  });

  it('refuse operands that do not fit', () => {
    const code = `
      const { binding } = tf.backend();
      const activation = (slope, most) =>
        [['slope', slope], ['most', most]].map(([name, value]) => ({ name, type: binding.TF_ATTR_FLOAT, value }));
      const [x, vector] = [tf.ones([1, 2, 2, 3]), tf.ones([3])];
      for (const operands of [
        [x, x, vector, tf.ones([2]), vector, vector],
        [x, tf.ones([1, 2, 2, 1]), vector, vector, vector, vector],
        [tf.ones([4, 3]), x, vector, vector, vector, vector],
      ]) {
        try {
          tf.backend().executeMultipleOutputs('G2dV2BatchNormGrad', activation(0, Infinity), operands, 3);
          console.log('no error');
        } catch (error) {
          console.log(/another size|is expected/.test(error.message));
        }
      }
      const ones = (...shape) => tf.ones(shape);
      for (const [filter, geometry] of [
        [[3, 3, 4, 2], [1, 1, 1, 1, 1, 1, 4, 4, 3]],
        [[3, 3, 5, 1], [1, 1, 1, 1, 1, 1, 4, 4, 3]],
        [[2, 2, 4, 1], [1, 1, 1, 1, 1, 1, 4, 4, 2]],
        [[3, 3, 4, 1], [0, 1, 1, 1, 1, 1, 4, 4, 3]],
        [[3, 3, 4, 1], [1, 1, 3, 1, 1, 1, 4, 4, 3]],
        [[3, 3, 4, 1], [1, 1, 1, 1, 1, 1, 4, 5, 3]],
      ]) {
        try {
          const attributes = [{ name: 'geometry', type: binding.TF_ATTR_INT, value: geometry }, ...activation(0, 6)];
          const inputs = [ones(1, 4, 4, 4), ones(...filter), ones(filter[2])];
          tf.backend().executeSingleOutput('G2dV1Depthwise', attributes, inputs);
          console.log('no error');
        } catch (error) {
          console.log(/expected/.test(error.message));
        }
      }
      try {
        tf.backend().executeSingleOutput('G2dV1Activation', activation(0.5, 6), [ones(3)]);
        console.log('no error');
      } catch (error) {
        console.log(/expected/.test(error.message));
      }
      for (const [name, operands, padding] of [
        ['', [ones(1, 4, 4, 32), ones(5, 3, 32, 32)]],
        ['', [ones(1, 4, 4, 32), ones(3, 3, 64, 32)]],
        ['', [ones(1, 4, 4, 48), ones(3, 3, 48, 32)]],
        ['', [ones(1, 4, 4, 32), ones(3, 3, 32, 32)], [3, 0]],
        ['', [ones(1, 2, 2, 32), ones(3, 3, 32, 32)], [0, 0]],
        ['', [ones(4, 4, 32), ones(3, 3, 32, 32)]],
        ['WithBias', [ones(1, 4, 4, 32), ones(3, 3, 32, 32), ones(31)]],
        ['BackpropInput', [ones(3, 3, 32, 64), ones(1, 4, 4, 32)]],
        ['BackpropFilter', [ones(1, 4, 4, 32), ones(1, 4, 3, 32)]],
        ['BackpropFilter', [ones(1, 4, 4, 32), ones(2, 4, 4, 32)]],
      ]) {
        try {
          convolution(name, operands, padding);
          console.log('no error');
        } catch (error) {
          console.log(/another size|expected/.test(error.message));
        }
      }
      for (const operands of [
        [ones(2, 3), ones(2, 3)],
        [ones(3), ones(3, 2)],
        [ones(2, 3), tf.scalar(1)],
        [ones(2, 2, 3), ones(3, 3, 2)],
        [ones(2, 2, 3), ones(3, 2)],
      ]) {
        try {
          product(false, false, operands);
          console.log('no error');
        } catch (error) {
          console.log(/expected/.test(error.message));
        }
      }
      const image = ones(1, 5, 5, 4);
      for (const run of [
        () => taps('', [3, 3, 1, 1, 0, 0], [image, ones(3, 1, 4, 2)]),
        () => taps('', [3, 3, 1, 1, 0, 0], [image, ones(3, 3, 5, 2)]),
        () => taps('', [3, 3, 0, 1, 0, 0], [image, ones(3, 3, 4, 2)]),
        () => taps('', [3, 3, 1, 1, -1, 0], [image, ones(3, 3, 4, 2)]),
        () => taps('', [6, 6, 1, 1, 0, 0], [image, ones(6, 6, 4, 2)]),
        () => taps('', [3, 3, 1, 1, 0, 0], [ones(5, 5, 4), ones(3, 3, 4, 2)]),
        () => taps('BackpropInput', [3, 3, 1, 1, 0, 0], [ones(3, 3, 4, 2), ones(1, 4, 3, 2)], [5, 5]),
        () => taps('BackpropInput', [3, 3, 1, 1, 0, 0], [ones(3, 3, 4, 2), ones(1, 3, 3, 2)], [-5, 5]),
        () => taps('BackpropFilter', [3, 3, 1, 1, 0, 0], [image, ones(2, 3, 3, 2)]),
      ]) {
        try {
          run();
          console.log('no error');
        } catch (error) {
          console.log(/expected/.test(error.message));
        }
      }
      // Nothing to add up, and nothing at all.
      console.log(product(false, false, [ones(2, 0), ones(0, 3)]).dataSync().join() === '0,0,0,0,0,0');
      console.log(product(true, false, [ones(4, 0), ones(4, 3)]).shape.join() === '0,3');
      console.log(product(false, false, [ones(0, 2, 2), ones(0, 2, 0)]).shape.join() === '0,2,0');`;
    expect(program(code).split('\n')).toEqual(Array(37).fill('true'));
  });

  it('refuse rows, heads and seeds that do not fit', () => {
    const code = `
      const { binding } = tf.backend();
      const factor = { name: 'factor', type: binding.TF_ATTR_FLOAT, value: 1 };
      const epsilon = { name: 'epsilon', type: binding.TF_ATTR_FLOAT, value: 1 };
      const scale = { name: 'scale', type: binding.TF_ATTR_FLOAT, value: 1 };
      const heads = (value) => ({ name: 'heads', type: binding.TF_ATTR_INT, value: [value] });
      const ones = (...shape) => tf.ones(shape);
      const none = tf.tensor1d([]);
      const words = (count) => tf.zeros([count], 'int32');
      for (const [name, attributes, operands, outputs] of [
        ['Dropout', [factor], [ones(3), words(2)], 1],
        ['Dropout', [factor], [none, words(4)], 1],
        ['LayerNorm', [epsilon, factor], [ones(2, 3), ones(2, 2), ones(3), ones(3), words(0)], 4],
        ['LayerNorm', [epsilon, factor], [ones(2, 3), none, ones(2), ones(3), words(0)], 4],
        ['LayerNorm', [epsilon, factor], [tf.scalar(1), none, ones(1), ones(1), words(0)], 4],
        ['LayerNormGrad', [factor], [ones(2, 3), ones(2, 3), ones(3), ones(3), ones(2), words(0)], 4],
        ['Attention', [factor, scale, heads(2)], [ones(1, 2, 9), none, words(0)], 1],
        ['Attention', [factor, scale, heads(0)], [ones(1, 2, 9), none, words(0)], 1],
        ['Attention', [factor, scale, heads(1)], [ones(2, 9), none, words(0)], 1],
        ['Attention', [factor, scale, heads(3)], [ones(1, 2, 9), ones(1, 3), words(0)], 1],
        ['Attention', [factor, scale, heads(3)], [ones(1, 2, 9), none, words(4)], 1],
        ['AttentionGrad', [factor, scale, heads(3)], [ones(1, 2, 9), none, words(0), ones(1, 2, 9)], 1],
        ['GradientNoise', [], [ones(3), ones(1), words(2)], 1],
        ['GradientNoise', [], [ones(3), ones(2), words(1)], 1],
      ]) {
        try {
          const version = name === 'GradientNoise' ? 1 : 2;
          tf.backend().executeMultipleOutputs('G2dV' + version + name, attributes, operands, outputs);
          console.log(name, 'no error');
        } catch (error) {
          console.log(/another size|expected/.test(error.message));
        }
      }`;
    expect(program(code).split('\n')).toEqual(Array(14).fill('true'));
  });
});
