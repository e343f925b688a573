import * as tf from '@tensorflow/tfjs';

/** To the nearest bfloat16, ties to even. */
export function rounded(x: tf.Tensor): tf.Tensor {
  const bits = new Uint32Array(x.dataSync().slice().buffer);
  bits.forEach((word, i) => (bits[i] = (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000));
  return tf.tensor(new Float32Array(bits.buffer), x.shape);
}
