import * as tf from '@tensorflow/tfjs';
import { transformer } from '@g2d/encoders';
import { visionTransformer } from './vision-transformer.js';

/** A classifier of ten classes and the shape of what it is trained on. */
export interface Architecture {
  readonly summary: string;
  /** Shape of one sample. */
  readonly shape: readonly number[];
  readonly batch: number;
  /** An ordinary model, not accelerated. */
  build(): Promise<tf.LayersModel>;
}

const CLASSES = 10;
const { layers } = tf;

type Value = tf.SymbolicTensor;
const apply = (layer: tf.layers.Layer, x: Value | Value[]): Value => layer.apply(x) as Value;

/** Padding, convolution without bias, batch normalization: how ResNets pad, also with stride 2. */
function convNorm(x: Value, filters: number, size: 1 | 3 | 7, strides: 1 | 2): Value {
  const padded = size === 1 ? x : apply(layers.zeroPadding2d({ padding: (size - 1) / 2 }), x);
  const convolution = layers.conv2d({ filters, kernelSize: size, strides, useBias: false });
  return apply(layers.batchNormalization(), apply(convolution, padded));
}

const relu = (x: Value): Value => apply(layers.reLU(), x);

function basicBlock(x: Value, filters: number, strides: 1 | 2): Value {
  const residual = convNorm(relu(convNorm(x, filters, 3, strides)), filters, 3, 1);
  const shortcut = strides === 1 ? x : convNorm(x, filters, 1, strides);
  return relu(apply(layers.add(), [residual, shortcut]));
}

function resnet18(shape: readonly number[]): tf.LayersModel {
  const inputs = tf.input({ shape: [...shape] });
  let x = relu(convNorm(inputs, 64, 7, 2));
  x = apply(layers.maxPooling2d({ poolSize: 3, strides: 2 }), apply(layers.zeroPadding2d({ padding: 1 }), x));
  for (const filters of [64, 128, 256, 512]) {
    x = basicBlock(basicBlock(x, filters, filters === 64 ? 1 : 2), filters, 1);
  }
  const outputs = apply(layers.dense({ units: CLASSES }), apply(layers.globalAveragePooling2d({}), x));
  return tf.model({ inputs, outputs });
}

function vgg(shape: readonly number[]): tf.LayersModel {
  const inputs = tf.input({ shape: [...shape] });
  let x: Value = inputs;
  for (const filters of [64, 128, 256]) {
    for (let i = 0; i < 2; i++) {
      x = apply(layers.conv2d({ filters, kernelSize: 3, padding: 'same', activation: 'relu' }), x);
    }
    x = apply(layers.maxPooling2d({ poolSize: 2 }), x);
  }
  x = apply(layers.dense({ units: 512, activation: 'relu' }), apply(layers.flatten(), x));
  x = apply(layers.dropout({ rate: 0.5 }), x);
  return tf.model({ inputs, outputs: apply(layers.dense({ units: CLASSES }), x) });
}

async function transformerEncoder([time, width]: readonly number[]): Promise<tf.LayersModel> {
  const encoder = transformer({
    name: 'encoder',
    inputShape: [time as number, width as number],
    seed: 0,
    layers: 4,
    heads: 8,
    width: 256,
    feedForward: 1024,
  });
  // The encoder comes accelerated; what its file would be read as is plain.
  const plain = await tf.models.modelFromJSON({
    modelTopology: encoder.toJSON(null, false) as object,
  } as tf.io.ModelJSON);
  return tf.sequential({ layers: [plain, layers.dense({ units: CLASSES })] });
}

function mlp(shape: readonly number[]): tf.LayersModel {
  const hidden = Array.from({ length: 3 }, (_, i) =>
    layers.dense({ units: 1024, activation: 'relu', ...(i === 0 && { inputShape: [...shape] }) }),
  );
  return tf.sequential({ layers: [...hidden, layers.dense({ units: CLASSES })] });
}

/** Of MobileNetV2's blocks: thin, wide, each channel by itself, thin again. */
function mobileNet(shape: readonly number[]): tf.LayersModel {
  const relu6 = (x: Value): Value => apply(layers.reLU({ maxValue: 6 }), x);
  const block = (x: Value, filters: number, strides: 1 | 2): Value => {
    const channels = x.shape[3] as number;
    const wide = relu6(convNorm(x, 6 * channels, 1, 1));
    const depthwise = layers.depthwiseConv2d({ kernelSize: 3, strides, padding: 'same', useBias: false });
    const filtered = relu6(apply(layers.batchNormalization(), apply(depthwise, wide)));
    const thin = convNorm(filtered, filters, 1, 1);
    return strides === 1 && channels === filters ? apply(layers.add(), [x, thin]) : thin;
  };
  const inputs = tf.input({ shape: [...shape] });
  let x = relu6(convNorm(inputs, 32, 3, 2));
  for (const [filters, strides] of [
    [16, 1],
    [24, 2],
    [24, 1],
    [32, 2],
    [32, 1],
    [64, 2],
    [64, 1],
  ] as const) {
    x = block(x, filters, strides);
  }
  x = apply(layers.globalAveragePooling2d({}), relu6(convNorm(x, 256, 1, 1)));
  return tf.model({ inputs, outputs: apply(layers.dense({ units: CLASSES }), x) });
}

/** Down and up again, each level next to its own way down; leaky ReLU after two normalized convolutions. */
function uNet(shape: readonly number[]): tf.LayersModel {
  const level = (x: Value, filters: number): Value => {
    const bent = (value: Value): Value =>
      apply(layers.leakyReLU({ alpha: 0.1 }), convNorm(value, filters, 3, 1));
    return bent(bent(x));
  };
  const inputs = tf.input({ shape: [...shape] });
  const ways: Value[] = [];
  let x: Value = inputs;
  for (const filters of [16, 32, 64]) {
    ways.push(level(x, filters));
    x = apply(layers.maxPooling2d({ poolSize: 2 }), ways.at(-1) as Value);
  }
  x = level(x, 128);
  for (const filters of [64, 32, 16]) {
    const up = layers.conv2dTranspose({ filters, kernelSize: 2, strides: 2 });
    x = level(apply(layers.concatenate(), [ways.pop() as Value, apply(up, x)]), filters);
  }
  const outputs = apply(layers.dense({ units: CLASSES }), apply(layers.globalAveragePooling2d({}), x));
  return tf.model({ inputs, outputs });
}

const lstm = (shape: readonly number[]): tf.LayersModel =>
  tf.sequential({
    layers: [
      layers.lstm({ units: 128, inputShape: [...shape], recurrentInitializer: 'glorotNormal' }),
      layers.dense({ units: CLASSES }),
    ],
  });

/** What is measured, by the names that `--only` takes. */
export const architectures: Readonly<Record<string, Architecture>> = {
  resnet: {
    summary: 'ResNet-18, 64 × 64 × 3',
    shape: [64, 64, 3],
    batch: 16,
    build: async () => resnet18([64, 64, 3]),
  },
  vgg: {
    summary: 'VGG-like, 6 convolutions, 32 × 32 × 3',
    shape: [32, 32, 3],
    batch: 32,
    build: async () => vgg([32, 32, 3]),
  },
  transformer: {
    summary: 'Transformer, 4 layers of 8 heads, 64 steps',
    shape: [64, 128],
    batch: 16,
    build: () => transformerEncoder([64, 128]),
  },
  vit: {
    summary: 'ViT, 6 layers of 3 heads, 64 × 64 × 3',
    shape: [64, 64, 3],
    batch: 16,
    build: async () =>
      visionTransformer([64, 64, 3], { patch: 8, width: 192, depth: 6, heads: 3, classes: CLASSES }),
  },
  mobilenet: {
    summary: 'MobileNetV2-like, 7 blocks, 96 × 96 × 3',
    shape: [96, 96, 3],
    batch: 16,
    build: async () => mobileNet([96, 96, 3]),
  },
  unet: {
    summary: 'U-Net-like, 3 levels, 64 × 64 × 3',
    shape: [64, 64, 3],
    batch: 8,
    build: async () => uNet([64, 64, 3]),
  },
  lstm: {
    summary: 'LSTM of 128, 20 steps',
    shape: [20, 64],
    batch: 32,
    build: async () => lstm([20, 64]),
  },
  mlp: {
    summary: 'MLP, 3 hidden layers of 1024',
    shape: [512],
    batch: 128,
    build: async () => mlp([512]),
  },
};
