import * as tf from '@tensorflow/tfjs-core';

// These kernels of tfjs-backend-wasm make numbers of NaN, where those of every other backend keep it: 0 of ReLU6, a bound of
// `clipByValue`, the other operand of a maximum, −∞ of a mean, which the ReLU after it makes 0.

/** Which elements of a result should be NaN. `run` is the kernel itself, on another x. */
type Marks = (
  inputs: Readonly<Record<string, tf.Tensor>>,
  y: tf.Tensor,
  run: (x: tf.Tensor) => tf.Tensor,
) => tf.Tensor;

const ofItself: Marks = ({ x }) => tf.isNaN(x as tf.Tensor);
const ofEither: Marks = ({ a, b }) => tf.logicalOr(tf.isNaN(a as tf.Tensor), tf.isNaN(b as tf.Tensor));
/** A mean that became −∞ is none where NaN or ∞ went into it; means of 0 and 1 find those. */
const ofWindow: Marks = ({ x }, y, run) => {
  const others = run(tf.cast(tf.logicalNot(tf.less(x as tf.Tensor, Infinity)), 'float32'));
  return tf.logicalAnd(tf.equal(y, -Infinity), tf.greater(others, 0));
};

const KERNELS: Readonly<Record<string, Marks>> = {
  Relu6: ofItself,
  ClipByValue: ofItself,
  Maximum: ofEither,
  Minimum: ofEither,
  AvgPool: ofWindow,
};

/** Lets these kernels of the `wasm` backend give NaN for NaN. */
export function registerWasmNonFinite(): void {
  for (const [name, marks] of Object.entries(KERNELS)) {
    const own = tf.getKernel(name, 'wasm');
    tf.unregisterKernel(name, 'wasm');
    tf.registerKernel({
      ...own,
      kernelFunc: (call) => {
        const run = (inputs: tf.NamedTensorInfoMap): tf.Tensor =>
          tf.engine().makeTensorFromTensorInfo(own.kernelFunc({ ...call, inputs }) as tf.TensorInfo);
        const inputs = call.inputs as Record<string, tf.Tensor>;
        return tf.tidy(() => {
          const y = run(inputs);
          return y.dtype === 'float32'
            ? tf.where(
                marks(inputs, y, (x) => run({ ...inputs, x })),
                NaN,
                y,
              )
            : y;
        });
      },
    });
  }
}
