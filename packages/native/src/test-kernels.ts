import type { TfjsNode } from './project.js';
import { runCommand, type RunCommand } from './run-command.js';

// Each operation against the same in operations of TensorFlow.js and their gradients, on numbers of every size of block
// and remainder: 2 × 9 × 7 rows of 11 channels. The answer is the largest difference for each.
const program = (folder: string, kernels: string) => `
  const util = require('node:util');
  util.isNullOrUndefined = (value) => value === null || value === undefined;
  util.isArray = Array.isArray;
  const tf = require(${JSON.stringify(folder)});
  process.dlopen({ exports: {} }, ${JSON.stringify(kernels)});
  const backend = tf.backend();
  const { binding } = backend;
  const run = (name, attributes, inputs, outputs, version = 1) =>
    backend.executeMultipleOutputs('G2dV' + version + name, attributes, inputs, outputs);
  const values = (shape, seed) => {
    const numbers = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i * i * 0.37 + i + seed));
    return tf.tensor(numbers, shape);
  };
  const shape = [2, 9, 7, 11];
  const [x, residual, dy] = [1, 2, 3].map((seed) => values(shape, seed));
  const [gamma, beta, mean] = [4, 5, 6].map((seed) => values([11], seed));
  const variance = tf.ones([11]);
  const rows = 126;
  const normalize = (x, gamma, beta) => {
    const moments = tf.moments(x, [0, 1, 2]);
    return x.sub(moments.mean).mul(moments.variance.add(0.001).rsqrt()).mul(gamma).add(beta);
  };
  const moments = tf.moments(x, [0, 1, 2]);
  const moved = [
    mean.mul(0.75).add(moments.mean.mul(0.25)),
    variance.mul(0.75).add(moments.variance.mul(0.25 * rows / (rows - 1))),
  ];
  const statistics = [
    { name: 'epsilon', type: binding.TF_ATTR_FLOAT, value: 0.001 },
    { name: 'momentum', type: binding.TF_ATTR_FLOAT, value: 0.25 },
  ];
  const number = (name, value) => ({ name, type: binding.TF_ATTR_FLOAT, value });
  const activations = {
    none: [1, Infinity, (x) => x.mul(1)],
    relu: [0, Infinity, (x) => x.relu()],
    bound: [0, 0.5, (x) => x.relu().minimum(0.5)],
    leaky: [0.25, Infinity, (x) => x.leakyRelu(0.25)],
  };
  const shaped = ([slope, most]) => [number('slope', slope), number('most', most)];
  const pooling = [{ name: 'window', type: binding.TF_ATTR_INT, value: [3, 3, 2, 2, 1, 1] }];
  const input = [x, gamma, beta, mean, variance];
  const differences = {};
  const compare = (name, actual, expected) => {
    const worst = actual.map((tensor, i) => {
      if (tensor.shape.join() !== expected[i].shape.join()) return Infinity;
      const largest = (values) => values.abs().max().dataSync()[0];
      const difference = largest(tensor.sub(expected[i])) / Math.max(1, largest(expected[i]));
      return Number.isFinite(difference) ? difference : Infinity;
    });
    differences[name] = String(Math.max(...worst));
  };
  for (const [name, activation] of Object.entries(activations)) {
    const [, , apply] = activation;
    {
      const plain = (...inputs) => apply(normalize(...inputs));
      const [y, newMean, newVariance, ...kept] = run('BatchNorm', [...statistics, ...shaped(activation)], input, 6, 2);
      compare('BatchNorm, ' + name, [y, newMean, newVariance], [plain(x, gamma, beta), ...moved]);
      compare('BatchNormGrad, ' + name, run('BatchNormGrad', shaped(activation), [x, dy, beta, ...kept], 3, 2),
        tf.grads(plain)([x, gamma, beta], dy));
    }
    const plain = (x, gamma, beta, residual) => apply(normalize(x, gamma, beta).add(residual));
    const [y, newMean, newVariance, ...kept] =
      run('BatchNormAdd', [...statistics, ...shaped(activation)], [...input, residual], 6, 2);
    compare('BatchNormAdd, ' + name, [y, newMean, newVariance], [plain(x, gamma, beta, residual), ...moved]);
    compare('BatchNormAddGrad, ' + name, run('BatchNormAddGrad', shaped(activation), [x, dy, beta, ...kept, y], 4, 2),
      tf.grads(plain)([x, gamma, beta, residual], dy));
  }
  {
    const plain = (x, gamma, beta) =>
      tf.maxPool(normalize(x, gamma, beta).relu().pad([[0, 0], [1, 1], [1, 1], [0, 0]]), 3, 2, 'valid');
    const [y, winner, place, newMean, newVariance, ...kept] =
      run('BatchNormReluMaxPool', [...statistics, ...pooling], input, 8);
    compare('BatchNormReluMaxPool', [y, newMean, newVariance], [plain(x, gamma, beta), ...moved]);
    const pooled = values(y.shape, 7);
    compare('BatchNormReluMaxPoolGrad',
      run('BatchNormReluMaxPoolGrad', pooling, [x, pooled, beta, ...kept, winner, place], 3),
      tf.grads(plain)([x, gamma, beta], pooled));
  }
  // With a number that is none: it stays one.
  const broken = tf.where(tf.equal(x, x.max()), NaN, x);
  const same = (name, actual, expected) => {
    const count = (tensor) => tensor.isNaN().cast('float32');
    const finite = (tensor) => tf.where(tensor.isNaN(), 0, tensor);
    compare(name, [finite(actual), count(actual)], [finite(expected), count(expected)]);
  };
  for (const [name, activation] of Object.entries(activations)) {
    const [, , apply] = activation;
    const y = broken.sub(mean).div(variance.add(0.001).sqrt()).mul(gamma).add(beta);
    // TensorFlow's minimum loses what is no number.
    const keeping = (x) => tf.where(x.isNaN(), NaN, apply(x));
    same('BatchNormInference, ' + name,
      run('BatchNormInference', [statistics[0], ...shaped(activation)], [broken, gamma, beta, mean, variance], 1, 2)[0],
      keeping(y));
    if (name === 'none') continue;
    const [rectified] = run('Activation', shaped(activation), [broken], 1);
    same('Activation, ' + name, rectified, keeping(broken));
    same('ActivationGrad, ' + name, run('ActivationGrad', shaped(activation), [dy, rectified], 1)[0],
      tf.where(broken.isNaN(), name === 'leaky' ? dy.mul(0.25) : NaN, tf.grad(apply)(tf.where(broken.isNaN(), 1, broken), dy)));
  }
  // Two strides and a padding on one side only.
  for (const [window, stride, sides] of [[3, 1, [1, 1, 1, 1]], [3, 2, [0, 1, 0, 1]], [5, 1, [2, 2, 0, 3]], [7, 2, [3, 3, 3, 3]]]) {
    const filter = values([window, window, 11, 1], 13);
    const [top, bottom, left, right] = sides;
    const plain = (x, filter) =>
      tf.depthwiseConv2d(x.pad([[0, 0], [top, bottom], [left, right], [0, 0]]), filter, stride, 'valid');
    const geometry = [{
      name: 'geometry', type: binding.TF_ATTR_INT, value: [stride, stride, ...sides, shape[1], shape[2], window],
    }];
    const expected = plain(x, filter);
    const name = 'Depthwise, window ' + window + ', stride ' + stride;
    compare(name, run('Depthwise', [...geometry, ...shaped(activations.leaky)], [x, filter, beta], 1),
      [expected.add(beta).leakyRelu(0.25)]);
    const gradient = values(expected.shape, 14);
    compare(name + ', gradients', [
      ...run('DepthwiseBackpropInput', geometry, [filter, gradient], 1),
      ...run('DepthwiseBackpropFilter', geometry, [x, gradient], 1),
    ], tf.grads(plain)([x, filter], gradient));
  }
  {
    const plain = (x) => tf.maxPool(x.pad([[0, 0], [1, 1], [1, 1], [0, 0]], -9), 3, 2, 'valid');
    const [y, place] = run('MaxPool', pooling, [x], 2);
    compare('MaxPool', [y], [plain(x)]);
    const pooled = values(y.shape, 12);
    const size = { name: 'size', type: binding.TF_ATTR_INT, value: [9, 7] };
    compare('MaxPoolGrad', run('MaxPoolGrad', [...pooling, size], [pooled, place], 1), [tf.grad(plain)(x, pooled)]);
    same('MaxPool of NaN', run('MaxPool', pooling, [broken], 2)[0],
      tf.where(plain(broken.isNaN().cast('float32')).greater(0), NaN, y));
  }
  // Rows of 77 values, a residual, and dropout of what is added to it: its factors are those of a tensor of ones.
  const rate = { name: 'factor', type: binding.TF_ATTR_FLOAT, value: 1.25 };
  const draw = (part, ...seeds) => tf.tensor1d([0.2 * 2 ** 32, part, ...seeds].map((word) => word | 0), 'int32');
  const factors = (seed, shape, part = 0) => run('Dropout', [rate], [tf.ones(shape), draw(part, seed)], 1, 2)[0];
  {
    const drawn = factors(5, shape);
    compare('Dropout', run('Dropout', [rate], [x, draw(0, 5)], 1, 2), [x.mul(drawn)]);
    // A part that begins in the middle of sixteen words.
    compare('Dropout, part', [factors(5, [1, 9, 7, 11], 1)], [drawn.slice(1, 1)]);
    const kept = drawn.greater(0).cast('float32');
    // As many as the generator, written once more in Python, keeps of them.
    compare('Dropout, factors', [drawn, kept.sum()], [kept.mul(1.25), tf.scalar(1114)]);
    const plain = (x, residual, gamma, beta) => {
      const sum = x.mul(drawn).add(residual);
      const { mean, variance } = tf.moments(sum, -1, true);
      return sum.sub(mean).mul(variance.add(0.001).rsqrt()).mul(gamma).add(beta);
    };
    const [y, ...saved] = run('LayerNorm', [statistics[0], rate], [x, residual, gamma, beta, draw(0, 5)], 4, 2);
    compare('LayerNorm', [y], [plain(x, residual, gamma, beta)]);
    const gradients = run('LayerNormGrad', [rate],
      [saved[0], dy, gamma, saved[1], saved[2], draw(0, 5)], 4, 2);
    compare('LayerNormGrad', [gradients[1], gradients[0], gradients[2], gradients[3]],
      tf.grads(plain)([x, residual, gamma, beta], dy));
  }
  // On processors without vectors for it there are no products of ours, and no attention.
  const registered = (operation) => {
    try {
      operation();
      return true;
    } catch (error) {
      if (/registered|vectors of bfloat16/.test(error.message)) return false;
      throw error;
    }
  };
  // Several blocks of depth, and remainders of every side.
  const sides = (a, b, bfloat16 = false) => [
    { name: 'transpose_a', type: binding.TF_ATTR_BOOL, value: a },
    { name: 'transpose_b', type: binding.TF_ATTR_BOOL, value: b },
    { name: 'round_to_bfloat16', type: binding.TF_ATTR_BOOL, value: bfloat16 },
  ];
  // What both sides are rounded to: the upper half of their bits, to the nearest, ties to even.
  const rounded = (tensor) => {
    const bits = new Uint32Array(tensor.dataSync().slice().buffer);
    bits.forEach((word, i) => (bits[i] = (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000));
    return tf.tensor(new Float32Array(bits.buffer), tensor.shape);
  };
  const one = tf.ones([1, 1]);
  for (const [a, b] of registered(() => run('MatMul', sides(false, false), [one, one], 1, 2)) ? [[false, false], [true, false], [false, true]] : []) {
    const operands = (rows, depth, columns, batch) => [
      values([...batch, ...(a ? [depth, rows] : [rows, depth])], 13),
      values([...batch, ...(b ? [columns, depth] : [depth, columns])], 14),
    ];
    const name = 'MatMul, ' + (a ? 'a transposed' : b ? 'b transposed' : 'plain');
    const batches = operands(23, 70, 19, [3, 2]);
    const [left, right] = operands(163, 601, 75, []);
    const offset = values([75], 15);
    const product = tf.matMul(left, right, a, b);
    compare(name, [
      run('MatMul', sides(a, b), batches, 1, 2)[0],
      run('MatMul', sides(a, b), [left, right], 1, 2)[0],
      ...Object.values(activations).map((activation) =>
        run('MatMulWithBias', [...sides(a, b), ...shaped(activation)], [left, right, offset], 1, 2)[0]),
    ], [tf.matMul(...batches, a, b), product,
      ...Object.values(activations).map(([, , apply]) => apply(product.add(offset)))]);
    if (!registered(() => run('MatMul', sides(false, false, true), [one, one], 1, 2))) continue;
    const roughly = tf.matMul(rounded(left), rounded(right), a, b);
    compare(name + ', bfloat16', [
      run('MatMul', sides(a, b, true), batches, 1, 2)[0],
      run('MatMul', sides(a, b, true), [left, right], 1, 2)[0],
      run('MatMulWithBias', [...sides(a, b, true), ...shaped(activations.relu)], [left, right, offset], 1, 2)[0],
    ], [tf.matMul(...batches.map(rounded), a, b), roughly, roughly.add(offset).relu()]);
  }
  for (const [batch, time, size] of [[2, 53, 5], [1, 7, 32]]) {
    const [projected, mask, above] = [[batch, time, 6 * size], [batch, 1, time], [batch, time, 2 * size]]
      .map((shape, i) => values(shape, 20 + i));
    const attributes = [
      rate,
      { name: 'scale', type: binding.TF_ATTR_FLOAT, value: 0.5 },
      { name: 'heads', type: binding.TF_ATTR_INT, value: [2] },
    ];
    const operands = [projected, mask, draw(0, 8, 9)];
    if (!registered(() => run('Attention', attributes, operands, 1, 2))) continue;
    const drawn = tf.stack([8, 9].map((seed) => factors(seed, [batch, time, time])), 1);
    const plain = (projected) => {
      const [q, k, v] = tf.unstack(projected.reshape([batch, time, 3, 2, size]).transpose([2, 0, 3, 1, 4]));
      const weights = tf.softmax(tf.matMul(q, k, false, true).mul(0.5).add(mask.expandDims(1))).mul(drawn);
      return tf.matMul(weights, v).transpose([0, 2, 1, 3]).reshape(above.shape);
    };
    const name = 'Attention, ' + time + ' steps';
    compare(name, run('Attention', attributes, operands, 1, 2), [plain(projected)]);
    compare(name + ', gradient', run('AttentionGrad', attributes, [...operands, above], 1, 2),
      [tf.grad(plain)(projected, above)]);
  }
  {
    // The noise of a gradient twice as large is twice as large.
    const seed = tf.tensor1d([3], 'int32');
    const noisy = (x, factor) => run('GradientNoise', [], [x, tf.tensor1d([factor]), seed], 1)[0];
    const noise = noisy(x, 0);
    compare('GradientNoise', [noisy(x.mul(2), 0.5)], [noise.mul(2).add(x)]);
  }
  // One tap that reads the image as it lies, taps that meet a part of it, and taps that are transformed.
  // And few channels, whose windows are read where they lie.
  for (const [size, stride, zeros, width, channels, filters] of [
    [1, 1, 0, 7, 19, 51], [3, 2, 1, 7, 19, 51], [3, 2, 1, 35, 64, 96], [7, 2, 3, 35, 3, 64],
  ]) {
    const frame = values([3, 40, width, channels], 16);
    const taps = values([size, size, channels, filters], 17);
    const windowIn = (bfloat16) => [
      { name: 'window', type: binding.TF_ATTR_INT, value: [size, size, stride, stride, zeros, zeros] },
      { name: 'round_to_bfloat16', type: binding.TF_ATTR_BOOL, value: bfloat16 },
    ];
    const window = windowIn(false);
    if (!registered(() => run('Conv2D', window, [frame, taps], 1, 2))) continue;
    const plain = (x, w) => tf.conv2d(x.pad([[0, 0], [zeros, zeros], [zeros, zeros], [0, 0]]), w, stride, 'valid');
    const expected = plain(frame, taps);
    const gradient = values(expected.shape, 18);
    const name = 'Conv2D, window ' + size + ', ' + channels + ' channels';
    const extent = { name: 'size', type: binding.TF_ATTR_INT, value: [40, width] };
    const all = (window) => [
      ...run('Conv2D', window, [frame, taps], 1, 2),
      ...run('Conv2DBackpropInput', [...window, extent], [taps, gradient], 1, 2),
      ...run('Conv2DBackpropFilter', window, [frame, gradient], 1, 2),
    ];
    compare(name, all(window), [expected, ...tf.grads(plain)([frame, taps], gradient)]);
    // By products alone: others are float32.
    if (width !== 7 || !registered(() => run('Conv2D', windowIn(true), [frame, taps], 1, 2))) continue;
    compare(name + ', bfloat16', all(windowIn(true)), [
      plain(rounded(frame), rounded(taps)),
      ...tf.grads(plain)([rounded(frame), rounded(taps)], rounded(gradient)),
    ]);
  }
  // Several blocks of channels, and several sums of the filter's gradient; images for tiles of 4 × 4 outputs and of 2 × 2.
  const bias = values([32], 10);
  const filter = values([3, 3, 96, 32], 9);
  const padded = (zeros) => [{ name: 'padding', type: binding.TF_ATTR_INT, value: zeros }];
  for (const [height, width, zeros] of [[21, 40, [1, 1]], [21, 40, [0, 2]], [9, 6, [1, 1]]]) {
    const image = values([2, height, width, 96], 8);
    if (!registered(() => run('Conv3x3', padded(zeros), [image, filter], 1))) continue;
    const plain = (x, w) => tf.conv2d(x.pad([[0, 0], ...zeros.map((count) => [count, count]), [0, 0]]), w, 1, 'valid');
    const name = 'Conv3x3 of ' + height + ' x ' + width + ', padding ' + zeros;
    const expected = plain(image, filter);
    compare(name, run('Conv3x3', padded(zeros), [image, filter], 1), [expected]);
    compare(name + ', bias', run('Conv3x3WithBias', padded(zeros), [image, filter, bias], 1), [expected.add(bias)]);
    const gradient = values(expected.shape, 11);
    compare(name + ', gradients', [
      ...run('Conv3x3BackpropInput', padded(zeros), [filter, gradient], 1),
      ...run('Conv3x3BackpropFilter', padded(zeros), [image, gradient], 1),
    ], tf.grads(plain)([image, filter], gradient));
  }
  console.log('\\n' + JSON.stringify(differences));`;

const tolerance = 1e-4;
/** Of TensorFlow, which speaks of rounding errors as it starts. */
const isLog = (line: string): boolean => /^[IW]\d{4} /.test(line);

/**
 * Compares every training kernel and gradient with TensorFlow.js operations, in a child process: a crash there is an
 * answer too.
 *
 * @returns null if all agree, else what is wrong.
 */
export async function testKernels(
  tfjs: Pick<TfjsNode, 'folder'>,
  kernels: string,
  options: { run?: RunCommand; signal?: AbortSignal | undefined } = {},
): Promise<string | null> {
  const { run = runCommand, signal } = options;
  const result = await run(process.execPath, ['-e', program(tfjs.folder, kernels)], {
    env: { TF_CPP_MIN_LOG_LEVEL: '3', ...process.env, NODE_OPTIONS: '' },
    signal,
    timeoutMs: 120_000,
  });
  let differences: Readonly<Record<string, string>>;
  try {
    differences = JSON.parse(result.stdout.trim().split('\n').at(-1)!) as typeof differences;
  } catch {
    const line = result.stderr
      .split('\n')
      .find((text) => /Error|error|terminate|cannot/.test(text) && !isLog(text));
    return `they do not run (${line?.trim() ?? (result.code === null ? 'the process died' : 'nothing was printed')})`;
  }
  const wrong = Object.entries(differences).find(([, difference]) => !(Number(difference) <= tolerance));
  if (wrong) return `${wrong[0]} differs from TensorFlow by ${wrong[1]}, more than ${tolerance}`;
  const names = Object.keys(differences);
  const rounded = names.filter((name) => name.endsWith(', bfloat16')).length;
  const ofVectors = names.filter((name) => /^(Conv|MatMul|Attention)/.test(name)).length - rounded;
  const complete =
    names.length - ofVectors - rounded === 45 &&
    (ofVectors === 20 ? [0, 5] : [0]).includes(rounded) &&
    [0, 20].includes(ofVectors);
  return complete ? null : 'their test is incomplete';
}
