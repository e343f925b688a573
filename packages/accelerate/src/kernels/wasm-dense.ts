import * as tf from '@tensorflow/tfjs-core';
import { replaceWasmKernel, type WasmCall, type WasmModule } from './wasm-module.js';

interface Attributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly activation?: string;
}

const FLOAT = 4;
const DOUBLE = 8;

/** Products of matrices, or of batches of them where one batch is the other's or a single matrix. */
function matMul({ run, pointer, output, withRoom }: WasmModule, call: WasmCall): tf.TensorInfo | null {
  const { a, b, bias, preluActivationWeights } = call.inputs as Record<string, tf.TensorInfo>;
  const { transposeA, transposeB, activation = 'linear' } = call.attrs as unknown as Attributes;
  const [leftBatch, rightBatch] = [a!.shape.slice(0, -2), b!.shape.slice(0, -2)];
  const [left, right] = [leftBatch, rightBatch].map(tf.util.sizeFromShape) as [number, number];
  const [rows, steps] = transposed(a!.shape.slice(-2), transposeA);
  const [, columns] = transposed(b!.shape.slice(-2), transposeB);
  const known = (activation === 'linear' || activation === 'relu') && !preluActivationWeights;
  const aligned = leftBatch.join() === rightBatch.join() || left === 1 || right === 1;
  const floats = [a, b].every((operand) => operand!.dtype === 'float32');
  if (!known || !aligned || !floats || (bias && bias.shape.join() !== String(columns))) return null;
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(leftBatch, rightBatch);
  const c = output([...batch, rows, columns]);
  withRoom(FLOAT * run.matmulWork(columns, steps), (work) => {
    const count = tf.util.sizeFromShape(batch);
    const at = (tensor: tf.TensorInfo, matrices: number, size: number, i: number): number =>
      pointer(tensor) + (matrices === 1 ? 0 : FLOAT * size * i);
    for (let i = 0; i < count; i++) {
      const operands = [at(a!, left, rows * steps, i), at(b!, right, steps * columns, i)];
      const sizes = [rows, columns, steps, Number(transposeA), Number(transposeB)];
      run.matmul(...operands, at(c, count, rows * columns, i), ...sizes, work);
    }
    if (bias || activation === 'relu')
      run.addBias(pointer(c), pointer(bias), count * rows, columns, Number(activation === 'relu'));
  });
  return c;
}

const transposed = ([rows, columns]: number[], flip: boolean): [number, number] =>
  (flip ? [columns, rows] : [rows, columns]) as [number, number];

/** Sums over all axes but the last, as a bias's gradient: the backend's own transposes first. */
function sum({ run, pointer, output, withRoom }: WasmModule, call: WasmCall): tf.TensorInfo | null {
  const { x } = call.inputs as { x: tf.TensorInfo };
  const { axis, keepDims } = call.attrs as unknown as { axis: number | number[] | null; keepDims: boolean };
  const last = x.shape.length - 1;
  const axes = tf.util.parseAxisParam(axis as number[], x.shape).sort((a, b) => a - b);
  const channels = x.shape[last] ?? 1;
  const leading = axes.length === last && axes.every((one, i) => one === i);
  // Narrow ones fill no vector.
  if (x.dtype !== 'float32' || !leading || last < 1 || channels < 4) return null;
  const y = output(keepDims ? [...axes.map(() => 1), channels] : [channels]);
  withRoom(DOUBLE * channels, (sums) =>
    run.columnSums(pointer(x), tf.util.sizeFromShape(x.shape.slice(0, -1)), channels, pointer(y), sums),
  );
  return y;
}

/** Replaces matrix products, sums and ReLU on the `wasm` backend, whose own makes 0 of a NaN with a sign. */
export function registerWasmDense(): void {
  replaceWasmKernel('BatchMatMul', matMul);
  replaceWasmKernel('_FusedMatMul', matMul);
  replaceWasmKernel('Sum', sum);
  replaceWasmKernel('Relu', ({ run, pointer, output }, { inputs: { x } }) => {
    if (x!.dtype !== 'float32') return null;
    const y = output(x!.shape);
    run.relu(pointer(x), pointer(y), tf.util.sizeFromShape(x!.shape));
    return y;
  });
}
