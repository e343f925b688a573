import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { accelerate } from '@g2d/accelerate';
import { defineEncoder, type EncoderOptions } from '@g2d/core';
import { z } from 'zod';
import { assertInputShape, type ImageShape } from './encoder.js';
import { initializeWeights } from './initialize-weights.js';
import { conv6, invertedResidual } from './inverted-residual.js';

/** Expansion, channels, blocks, stride of the first block. */
const STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/**
 * MobileNetV2 without its classifier, as torchvision's `mobilenet_v2`: the image encoder of MIS-ME; 2,223,872 parameters
 * with three channels.
 *
 * `[B, H, W, C]` → `[B, 1280]`, the mean over height and width. Layers are named after torchvision's
 * (`<name>/features/1/conv/0/0`), padding is symmetric, epsilon 1e-5. MIS-ME begins with ImageNet's weights.
 *
 * @throws {OptionError} If the shape has another form.
 * @example
 * const image = mobileNetV2({ name: 'image', inputShape: [224, 224, 3], seed: 0 });
 * @see G2D, Sec. 4.1 (MIS-ME); Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018, Table 2
 */
export const mobileNetV2 = defineEncoder({
  name: 'mobilenet-v2',
  label: 'MobileNetV2',
  summary: 'for photographs, light: `[H, W, C]` → 1280 features',
  source: {
    paper: 'Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks, CVPR 2018, Table 2',
    code: 'torchvision, mobilenet_v2 without its classifier',
  },
  options: z.strictObject({}),
  create({ name, inputShape, seed }: EncoderOptions<ImageShape>) {
    assertInputShape('mobileNetV2', inputShape, '[H, W, C]');
    const images = input({ shape: [...inputShape], name: `${name}/input` });
    let index = 0;
    const path = (): string => `${name}/features/${index++}`;

    let x = conv6(images, { name: path(), filters: 32, kernelSize: 3, stride: 2 });
    for (const [expansion, filters, blocks, stride] of STAGES) {
      for (let block = 0; block < blocks; block++) {
        x = invertedResidual(x, { name: path(), filters, stride: block === 0 ? stride : 1, expansion });
      }
    }
    x = conv6(x, { name: path(), filters: 1280, kernelSize: 1, stride: 1 });
    const features = layers.globalAveragePooling2d({ name: `${name}/avgpool` }).apply(x);

    const encoder = model({ name, inputs: images, outputs: features as SymbolicTensor });
    initializeWeights(encoder, seed);
    return accelerate(encoder);
  },
});
