import * as tf from '@tensorflow/tfjs-core';
import { replaceWasmKernel, type WasmCall, type WasmModule } from './wasm-module.js';

interface Attributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly activation?: string;
}

const FLOAT = 4;

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
  withRoom(FLOAT * steps * 8 * Math.ceil(columns / 8), (work) => {
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

/** Replaces matrix products and ReLU on the `wasm` backend, whose own makes 0 of a NaN with a sign. */
export function registerWasmDense(): void {
  replaceWasmKernel('BatchMatMul', matMul);
  replaceWasmKernel('_FusedMatMul', matMul);
  replaceWasmKernel('Relu', ({ run, pointer, output }, { inputs: { x } }) => {
    if (x!.dtype !== 'float32') return null;
    const y = output(x!.shape);
    run.relu(pointer(x), pointer(y), tf.util.sizeFromShape(x!.shape));
    return y;
  });
}
