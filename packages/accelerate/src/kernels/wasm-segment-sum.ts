import * as tf from '@tensorflow/tfjs-core';

/** The backend, as much as the kernel reads and writes. */
interface Backend extends tf.KernelBackend {
  write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): tf.DataId;
}

/**
 * Gives `wasm` the sum of rows by their segment, which it lacks and which the gradient of `tf.gather` is made of. Rows of a segment are added
 * in their order; a segment that no row has is zeros, and rows of a negative one are left out.
 */
export function registerWasmSegmentSum(): void {
  if (tf.getKernel('UnsortedSegmentSum', 'wasm')) return;
  tf.registerKernel({
    kernelName: 'UnsortedSegmentSum',
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs, backend }) => {
      const { x, segmentIds } = inputs as { x: tf.TensorInfo; segmentIds: tf.TensorInfo };
      const { numSegments } = attrs as unknown as { numSegments: number };
      const own = backend as Backend;
      const values = own.readSync(x.dataId) as Float32Array | Int32Array;
      const segments = own.readSync(segmentIds.dataId) as Int32Array;
      const shape = [numSegments, ...x.shape.slice(1)];
      const width = tf.util.sizeFromShape(x.shape.slice(1));
      const sums =
        x.dtype === 'int32' ? new Int32Array(numSegments * width) : new Float32Array(numSegments * width);
      segments.forEach((segment, row) => {
        if (segment < 0 || segment >= numSegments) return;
        for (let i = 0; i < width; i++) {
          const at = segment * width + i;
          sums[at] = (sums[at] as number) + (values[row * width + i] as number);
        }
      });
      return { dataId: own.write(sums, shape, x.dtype), shape, dtype: x.dtype };
    },
  });
}
