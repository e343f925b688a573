import { checkKeys } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';

export { float32Resolution } from './testing/float32-resolution.js';
export { gradCheck, type GradCheckOptions } from './testing/grad-check.js';

/** Throws unless `actual` equals `expected` elementwise within `atol + rtol · |expected|`. Shapes must agree where both have one. */
export function expectTensorClose(
  actual: tf.Tensor,
  expected: tf.Tensor | readonly number[] | number,
  tolerances: { readonly atol?: number; readonly rtol?: number },
): void {
  const { atol = 0, rtol = 0 } = checkKeys(tolerances, { atol: true, rtol: true }, 'expectTensorClose');
  if (expected instanceof tf.Tensor && actual.shape.join() !== expected.shape.join()) {
    throw new Error(`shape [${actual.shape.join(', ')}] is not [${expected.shape.join(', ')}]`);
  }
  const got = actual.dataSync();
  const want =
    expected instanceof tf.Tensor
      ? expected.dataSync()
      : typeof expected === 'number'
        ? [expected]
        : expected;
  if (got.length !== want.length) throw new Error(`${got.length} values, expected ${want.length}`);
  for (let i = 0; i < got.length; i++) {
    const g = got[i] as number;
    const w = want[i] as number;
    // Written so that NaN fails.
    if (!(Math.abs(g - w) <= atol + rtol * Math.abs(w))) {
      throw new Error(`element ${i} is ${g}, expected ${w} (atol ${atol}, rtol ${rtol})`);
    }
  }
}

/** Runs `body` and throws if it leaves tensors behind beyond those it returns (which are disposed). */
export function expectNoLeak(body: () => unknown): void {
  const before = tf.memory().numTensors;
  tf.dispose(body() as tf.TensorContainer);
  const leaked = tf.memory().numTensors - before;
  if (leaked !== 0) throw new Error(`${leaked} tensors were left behind`);
}
