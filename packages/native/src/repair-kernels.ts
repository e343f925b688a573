type Tf = typeof import('@tensorflow/tfjs');

/** True for TensorFlow 2.17 and newer, whose `Round` gives zeros for int32. */
export function roundIsBroken(tensorflow: string): boolean {
  const [major = 0, minor = 0] = tensorflow.split('.').map(Number);
  return major > 2 || (major === 2 && minor > 16);
}

/**
 * Lets `tf.round` of an int32 tensor give the tensor itself, as it does with older TensorFlow and on every other backend.
 * All the other types go to TensorFlow as before.
 */
export function repairRound(tf: Tf): void {
  const original = tf.getKernel('Round', 'tensorflow');
  const identity = tf.getKernel('Identity', 'tensorflow');
  if (!original || !identity) return;
  tf.unregisterKernel('Round', 'tensorflow');
  tf.registerKernel({
    ...original,
    kernelFunc: (call) => (call.inputs['x']!.dtype === 'int32' ? identity : original).kernelFunc(call),
  });
}

/**
 * Lets `tf.concat` of scalars give a vector of them, as with the TensorFlow that tfjs-node was written for; newer ones refuse it, and
 * with it the histogram of weights that are all equal: `tf.node.tensorBoard(folder, { histogramFreq: 1 })` ended `fit` with an error.
 */
export function repairConcat(tf: Tf): void {
  const original = tf.getKernel('Concat', 'tensorflow');
  const pack = tf.getKernel('Pack', 'tensorflow');
  if (!original || !pack) return;
  tf.unregisterKernel('Concat', 'tensorflow');
  tf.registerKernel({
    ...original,
    kernelFunc: (call) => {
      const inputs = Object.values(call.inputs) as { readonly shape: readonly number[] }[];
      const scalars = inputs.every(({ shape }) => shape.length === 0);
      return (scalars ? pack : original).kernelFunc(call);
    },
  });
}
