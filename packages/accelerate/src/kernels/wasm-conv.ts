import * as tf from '@tensorflow/tfjs-core';
import { convInfo, type ConvAttributes, type ConvInfo } from './wasm-conv-gradients.js';
import { replaceWasmKernel, type WasmCall, type WasmModule } from './wasm-module.js';

// Convolutions as products of patches, a block of them at a time: no tensors are padded, dilated or transposed, and no more is computed
// than the convolution asks for.

interface Attributes extends ConvAttributes {
  readonly dilations?: [number, number] | number;
  readonly activation?: string;
}

const FLOAT = 4;

/** Runs `body` with a convolution as C sees it and room to work in. */
function withConvolution(
  { run, withRoom, integers }: WasmModule,
  info: ConvInfo,
  body: (convolution: number, work: number) => void,
): void {
  const { batchSize, inHeight, inWidth, inChannels, filterHeight, filterWidth } = info;
  const { strideHeight, strideWidth, padInfo, outHeight, outWidth, outChannels } = info;
  const image = [batchSize, inHeight, inWidth, inChannels, filterHeight, filterWidth];
  const window = [strideHeight, strideWidth, padInfo.top, padInfo.left, outHeight, outWidth, outChannels];
  const values = image.concat(window);
  withRoom(4 * values.length, (convolution) => {
    integers(convolution, values);
    withRoom(FLOAT * run.convolutionWork(convolution), (work) => body(convolution, work));
  });
}

/** Replaces a kernel but for other layouts and dilation. */
function replace(
  name: string,
  compute: (module: WasmModule, call: WasmCall, options: Attributes) => tf.TensorInfo | null,
): void {
  replaceWasmKernel(name, (module, call) => {
    const options = call.attrs as unknown as Attributes;
    const plain = options.dataFormat === undefined || options.dataFormat === 'NHWC';
    const dilated = [options.dilations ?? 1].flat().some((dilation) => dilation !== 1);
    return plain && !dilated ? compute(module, call, options) : null;
  });
}

function forward(
  module: WasmModule,
  { inputs: { x, filter, bias, preluActivationWeights } }: WasmCall,
  options: Attributes,
): tf.TensorInfo | null {
  const { activation = 'linear' } = options;
  const info = convInfo(x!.shape, filter!.shape, options);
  const known = (activation === 'linear' || activation === 'relu') && !preluActivationWeights;
  // One number for each channel, or one for all: then the backend knows.
  if (!known || (bias && bias.shape.join() !== String(info.outChannels))) return null;
  const y = module.output(info.outShape);
  const { run, pointer } = module;
  withConvolution(module, info, (convolution, work) =>
    run.convolution(convolution, pointer(x), pointer(filter), pointer(y), work),
  );
  if (bias || activation === 'relu') {
    const rows = info.batchSize * info.outHeight * info.outWidth;
    run.addBias(pointer(y), pointer(bias), rows, info.outChannels, activation === 'relu' ? 1 : 0);
  }
  return y;
}

/** Replaces convolution and its gradients on the `wasm` backend. */
export function registerWasmConvolution(): void {
  replace('Conv2D', forward);
  replace('FusedConv2D', forward);
  replace('Conv2DBackpropFilter', (module, { inputs: { x, dy } }, options) => {
    const { filterShape } = options as unknown as { filterShape: number[] };
    const filter = module.output(filterShape);
    const { run, pointer } = module;
    withConvolution(module, convInfo(x!.shape, filterShape, options), (convolution, work) =>
      run.filterGradient(convolution, pointer(x), pointer(dy), pointer(filter), work),
    );
    return filter;
  });
  replace('Conv2DBackpropInput', (module, { inputs: { dy, filter } }, options) => {
    const { inputShape } = options as unknown as { inputShape: number[] };
    const info = convInfo(inputShape, filter!.shape, options);
    // `tf.conv2dTranspose` can ask for an image that no convolution makes this gradient's shape of: the backend knows what it does then.
    if (dy!.shape[1] !== info.outHeight || dy!.shape[2] !== info.outWidth) return null;
    const x = module.output(inputShape);
    const { run, pointer } = module;
    withConvolution(module, info, (convolution, work) =>
      run.inputGradient(convolution, pointer(dy), pointer(filter), pointer(x), work),
    );
    return x;
  });
}
