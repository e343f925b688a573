import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { accelerate } from '@g2d/accelerate';
import { defineEncoder, type EncoderOptions } from '@g2d/core';
import { z } from 'zod';
import { basicBlock } from './basic-block.js';
import { batchNormalization, convolution, relu, zeroPadding } from './conv-block.js';
import { assertInputShape, type FramesShape, type ImageShape } from './encoder.js';
import { applyWindowed, toFeatureMap, toRows } from './frames.js';
import { initializeWeights } from './initialize-weights.js';

/** Channels of the four stages. All but the first halve height and width. */
const STAGES = [64, 128, 256, 512] as const;

/**
 * ResNet-18 without its classifier, for images, spectrograms and frames: 11,176,512 parameters with three channels,
 * 11,170,240 with one.
 *
 * `[B, H, W, C]` → `[B, 512]`, or `[B, T, H, W, C]` → `[B, 512]`: frames go through the network as if each were a sample,
 * so that batch statistics mix them, and the features are the mean over frames, height and width.
 *
 * Layers are named after PyTorch's (`<name>/layer2/0/downsample/1`); those of frames end in `/frames` where a
 * `TimeDistributed` layer applies them to each frame. Padding is symmetric, as in PyTorch.
 *
 * @param options `inputShape`: `[H, W, C]` or `[T, H, W, C]`; T may be `null`, then every batch may have its own.
 * @throws {OptionError} If the shape has another form.
 * @example
 * const video = resnet18({ name: 'video', inputShape: [null, 224, 224, 3], seed: 0 });
 * @see G2D, Sec. 4.1 and App. A.4.1; released code, `models/backbone.py`
 */
export const resnet18 = defineEncoder({
  name: 'resnet18',
  label: 'ResNet-18',
  summary: 'for pictures, spectrograms and frames: `[H, W, C]` or `[T, H, W, C]` → 512 features',
  source: {
    paper: 'He et al., Deep Residual Learning for Image Recognition, CVPR 2016',
    code: 'released code of G2D, models/backbone.py',
  },
  options: z.strictObject({}),
  create({ name, inputShape, seed }: EncoderOptions<ImageShape | FramesShape>) {
    assertInputShape('resnet18', inputShape, '[H, W, C]', '[T, H, W, C]');
    const images = input({ shape: [...inputShape], name: `${name}/input` });
    // One frame is an image. (TensorFlow.js cannot take the gradient of a TimeDistributed layer over a single step.)
    const [frames, ...image] = inputShape.length === 4 ? inputShape : [null, ...inputShape];
    const oneFrame = layers.reshape({ name: `${name}/frame`, targetShape: image });
    const stem = convolution(frames === 1 ? (oneFrame.apply(images) as SymbolicTensor) : images, {
      name: `${name}/conv1`,
      filters: STAGES[0],
      kernelSize: 7,
      stride: 2,
      padding: 3,
    });
    const normalized = batchNormalization(toRows(stem, `${name}/conv1`), `${name}/bn1`);
    const rectified = toFeatureMap(relu(normalized, `${name}/relu`), stem, `${name}/relu`);
    // Zeros as padding are exact: nothing is below zero after ReLU.
    const pooled = applyWindowed(
      layers.maxPooling2d({ name: `${name}/maxpool`, poolSize: 3, strides: 2, padding: 'valid' }),
      zeroPadding(rectified.windows, 1, `${name}/maxpool`),
    );

    let features = { windows: pooled, rows: toRows(pooled, `${name}/maxpool`) };
    STAGES.forEach((filters, stage) => {
      for (const block of [0, 1]) {
        const stride = stage > 0 && block === 0 ? 2 : 1;
        features = basicBlock(features, { name: `${name}/layer${stage + 1}/${block}`, filters, stride });
      }
    });
    // Every frame has the same size, so the mean over all rows is the mean over frames, height and width.
    const mean = layers.globalAveragePooling2d({ name: `${name}/avgpool` }).apply(features.rows);

    const encoder = model({ name, inputs: images, outputs: mean as SymbolicTensor });
    initializeWeights(encoder, seed);
    return accelerate(encoder);
  },
});
