import { describe, expect, it } from 'vitest';
import { workOf, type Operand, type OperationCall } from './operation-work.js';

const of = (...shape: number[]): Operand => ({ shape, bytes: 4 });
const flag = (name: string, value: boolean) => ({ name, type: 0, value });
const call = (
  operation: string,
  inputs: readonly Operand[],
  outputs: readonly Operand[],
  attributes: OperationCall['attributes'] = [],
): OperationCall => ({ operation, attributes, inputs, outputs });

// Two images of 8 × 6 with 3 channels, 5 filters of 3 × 3, stride 2 and padding 1: results of 4 × 3. Each of the 2 · 4 · 3 · 5 results
// has 3 · 3 · 3 products.
const [image, filter, result] = [of(2, 8, 6, 3), of(3, 3, 3, 5), of(2, 4, 3, 5)];
const [sizes, bias] = [of(4), of(5)];
const CONVOLUTION = 2 * 4 * 3 * 5 * 27;

// The same images, each channel by itself: 2 · 4 · 3 · 3 results of 3 · 3 products.
const [eachFilter, eachResult] = [of(3, 3, 3, 1), of(2, 4, 3, 3)];
const DEPTHWISE = 2 * 4 * 3 * 3 * 9;

// 2 samples, 7 steps, 3 heads of 4: a product has 2 · 3 · 7 · 7 · 4 multiplications.
const [projected, attended, none] = [of(2, 7, 36), of(2, 7, 12), of(0)];
const ATTENTION = 2 * 3 * 7 * 7 * 4;

describe('workOf', () => {
  it.each<[multiplyAdds: number, call: OperationCall]>([
    [CONVOLUTION, call('Conv2D', [image, filter], [result])],
    [CONVOLUTION, call('_MklNativeConv2DWithBias', [image, filter, bias], [result])],
    [CONVOLUTION, call('Conv2DBackpropInput', [sizes, filter, result], [image])],
    [CONVOLUTION, call('Conv2DBackpropFilter', [image, sizes, result], [filter])],
    [CONVOLUTION, call('G2dV1Conv2D', [image, filter], [result])],
    [CONVOLUTION, call('G2dV1Conv2DBackpropInput', [filter, result], [image])],
    [CONVOLUTION, call('G2dV1Conv2DBackpropFilter', [image, result], [filter])],
    [CONVOLUTION, call('G2dV1Conv3x3', [image, filter], [result])],
    [CONVOLUTION, call('G2dV12Conv3x3WithBias', [image, filter, bias], [result])],
    [CONVOLUTION, call('G2dV1Conv3x3BackpropInput', [filter, result], [image])],
    [CONVOLUTION, call('G2dV1Conv3x3BackpropFilter', [image, result], [filter])],
    [DEPTHWISE, call('G2dV1Depthwise', [image, eachFilter, of(3)], [eachResult])],
    [DEPTHWISE, call('G2dV1DepthwiseBackpropInput', [eachFilter, eachResult], [image])],
    [DEPTHWISE, call('G2dV1DepthwiseBackpropFilter', [image, eachResult], [eachFilter])],
    [DEPTHWISE, call('DepthwiseConv2dNativeBackpropInput', [sizes, eachFilter, eachResult], [image])],
    // Two results for each channel.
    [2 * DEPTHWISE, call('DepthwiseConv2dNative', [image, of(3, 3, 3, 2)], [of(2, 4, 3, 6)])],
    [2 * 3 * 4, call('MatMul', [of(2, 3), of(3, 4)], [of(2, 4)])],
    [2 * 3 * 4, call('MatMul', [of(3, 2), of(3, 4)], [of(2, 4)], [flag('transpose_a', true)])],
    [2 * 3 * 4, call('G2dV1MatMul', [of(2, 3), of(4, 3)], [of(2, 4)], [flag('transpose_b', true)])],
    [2 * 3 * 4, call('G2dV1MatMulWithBias', [of(2, 3), of(3, 4), of(4)], [of(2, 4)])],
    [5 * 2 * 3 * 4, call('BatchMatMulV2', [of(5, 3, 2), of(5, 3, 4)], [of(5, 2, 4)], [flag('adj_x', true)])],
    [2 * ATTENTION, call('G2dV2Attention', [projected, none, none], [attended])],
    [5 * ATTENTION, call('G2dV2AttentionGrad', [projected, none, none, attended], [projected])],
    // Nothing is known of these.
    [0, call('G2dV2LayerNorm', [image], [image])],
    [0, call('Conv2DNothing', [image, filter], [result])],
  ])('counts %d multiplications of %o', (multiplyAdds, call) => {
    expect(workOf(call).multiplyAdds).toBe(multiplyAdds);
  });

  it('counts the bytes of inputs and outputs once, by the size of their numbers', () => {
    const place: Operand = { shape: [2, 3], bytes: 1 };
    expect(workOf(call('G2dV1MaxPoolGrad', [of(2, 3), place], [of(2, 5)])).bytes).toBe(24 + 6 + 40);
    expect(workOf(call('Add', [of(3), of()], [of(3)])).bytes).toBe(12 + 4 + 12);
    expect(workOf(call('Add', [of(0), of(0)], [of(0)])).bytes).toBe(0);
  });

  it('counts variables of TensorFlow’s own as large as their gradient, read and written', () => {
    const [handle, number, gradient] = [of(), of(), of(100)];
    const momentum = call('ResourceApplyMomentum', [handle, handle, number, gradient, number], []);
    expect(workOf(momentum).bytes).toBe(5 * 400 + 4 * 4);
    const descent = call('ResourceApplyGradientDescent', [handle, number, gradient], []);
    expect(workOf(descent).bytes).toBe(3 * 400 + 2 * 4);
  });

  it('counts nothing where a buffer is handed on', () => {
    expect(workOf(call('Reshape', [of(2, 3), of(1)], [of(6)]))).toEqual({ multiplyAdds: 0, bytes: 0 });
  });
});
