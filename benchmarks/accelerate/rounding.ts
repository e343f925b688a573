import { parseArgs } from 'node:util';
import { accelerate } from '@g2d/accelerate';
import { loadTensorFlow } from '@g2d/native';
import * as tf from '@tensorflow/tfjs';
import { main } from '../shared/main.js';
import { table } from '../shared/table.js';

const HELP = `Usage: npm run bench:rounding

Prints how far convolutions of 3 × 3 taps are from double precision: those of an accelerated model and those of plain layers.
Images after ReLU, weights of variance 1 / 9 channels; the root mean square of the error next to that of the outputs, of
2,000 outputs of one image.

Options:
  --help  this text
`;

/** Height and width, channels and stride, as ResNet-18 has them. */
const SHAPES = [
  [56, 64, 1],
  [28, 128, 1],
  [17, 256, 1],
  [14, 256, 1],
  [56, 64, 2],
] as const;
const SAMPLES = 2000;

type Images = Awaited<ReturnType<tf.Tensor4D['array']>>;

/** One output of a convolution with a zero around the image, in double precision. */
function exactly(
  image: Images,
  taps: Images,
  stride: number,
  [row, column, filter]: readonly [number, number, number],
): number {
  let sum = 0;
  taps.forEach((line, i) =>
    line.forEach((channels, j) => {
      const values = image[0]![row * stride + i - 1]?.[column * stride + j - 1];
      values?.forEach((value, channel) => (sum += value * channels[channel]![filter]!));
    }),
  );
  return sum;
}

/** A convolution as a user builds it. */
function model(size: number, channels: number, stride: number): tf.LayersModel {
  const input = tf.input({ shape: [size, size, channels] });
  const framed = tf.layers.zeroPadding2d({ padding: 1 }).apply(input);
  const options = { filters: channels, kernelSize: 3, strides: stride, useBias: false };
  const y = tf.layers.conv2d(options).apply(framed) as tf.SymbolicTensor;
  return tf.model({ inputs: input, outputs: y });
}

async function run(): Promise<void> {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
  const rows = [['map, channels, stride', 'accelerated', 'plain layers']];
  for (const [size, channels, stride] of SHAPES) {
    const plain = model(size, channels, stride);
    const taps = tf.randomNormal<tf.Rank.R4>(
      [3, 3, channels, channels],
      0,
      1 / Math.sqrt(9 * channels),
      'float32',
      1,
    );
    plain.setWeights([taps]);
    // Two images: as it is chosen for a batch.
    const images = tf.relu(tf.randomNormal<tf.Rank.R4>([2, size, size, channels], 0, 1, 'float32', 2));
    const before = plain.apply(images) as tf.Tensor4D;
    const outputs = [accelerate(plain).apply(images) as tf.Tensor4D, before];
    const [ours, theirs] = await Promise.all(outputs.map(async (y) => (await y.array())[0]!));
    const [first, weights] = [await images.slice(0, 1).array(), await taps.array()];
    const errors = [0, 0];
    let power = 0;
    for (let i = 0; i < SAMPLES; i++) {
      // Strides without a common divisor with any size.
      const place = [(i * 101) % ours!.length, (i * 103) % ours!.length, (i * 107) % channels] as const;
      const [row, column, filter] = place;
      const exact = exactly(first, weights, stride, place);
      power += exact ** 2;
      [ours, theirs].forEach((y, k) => (errors[k]! += (y![row]![column]![filter]! - exact) ** 2));
    }
    tf.dispose([taps, images, ...outputs]);
    rows.push([
      `${size} × ${size}, ${channels}, ${stride}`,
      ...errors.map((sum) => Math.sqrt(sum / power).toExponential(1)),
    ]);
  }
  process.stdout.write(table(rows));
}

await main({
  name: 'bench:rounding',
  help: HELP,
  parse: (args) =>
    parseArgs({ args: [...args], options: { help: { type: 'boolean', short: 'h', default: false } } })
      .values as {
      help: boolean;
    },
  run,
});
