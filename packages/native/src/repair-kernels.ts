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
