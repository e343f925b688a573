/** Name and shape of a tensor as PyTorch has it. */
export interface TorchTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Width of a ResNet-18's features. */
export const FEATURES = 512;

export const fusionNames = ['late', 'concat', 'sum', 'film', 'gated'] as const;
export type FusionName = (typeof fusionNames)[number];

export const isRunningStatistic = (name: string): boolean => /\.running_(mean|var)$/.test(name);

function batchNorm(path: string, channels: number): TorchTensor[] {
  return ['weight', 'bias', 'running_mean', 'running_var'].map((leaf) => ({
    name: `${path}.${leaf}`,
    shape: [channels],
  }));
}

const convolution = (path: string, shape: readonly number[]): TorchTensor => ({
  name: `${path}.weight`,
  shape,
});

/** Every tensor of a ResNet-18 without a classifier, in PyTorch's order. */
export function resnet18Tensors(prefix: string, channels: number): TorchTensor[] {
  const widths = [64, 128, 256, 512];
  const blocks = widths.flatMap((width, stage) =>
    [0, 1].flatMap((block) => {
      const path = `${prefix}.layer${stage + 1}.${block}`;
      const before = block === 0 && stage > 0 ? (widths[stage - 1] as number) : width;
      return [
        convolution(`${path}.conv1`, [width, before, 3, 3]),
        ...batchNorm(`${path}.bn1`, width),
        convolution(`${path}.conv2`, [width, width, 3, 3]),
        ...batchNorm(`${path}.bn2`, width),
        ...(before === width
          ? []
          : [
              convolution(`${path}.downsample.0`, [width, before, 1, 1]),
              ...batchNorm(`${path}.downsample.1`, width),
            ]),
      ];
    }),
  );
  return [convolution(`${prefix}.conv1`, [64, channels, 7, 7]), ...batchNorm(`${prefix}.bn1`, 64), ...blocks];
}

/** Weight and bias of a linear layer. */
export function linearTensors(path: string, outputs: number, inputs: number): TorchTensor[] {
  return [
    { name: `${path}.weight`, shape: [outputs, inputs] },
    { name: `${path}.bias`, shape: [outputs] },
  ];
}

/** Every tensor of a fusion of two modalities. */
export function fusionTensors(fusion: FusionName, classes: number): TorchTensor[] {
  const linear = (name: string, outputs: number, inputs = FEATURES): TorchTensor[] =>
    linearTensors(`fusion_module.${name}`, outputs, inputs);
  switch (fusion) {
    case 'late':
    case 'sum':
      return [...linear('fc_x', classes), ...linear('fc_y', classes)];
    case 'concat':
      return linear('fc_out', classes, 2 * FEATURES);
    case 'film':
      return [...linear('fc', 2 * FEATURES), ...linear('fc_out', classes)];
    case 'gated':
      return [...linear('fc_x', FEATURES), ...linear('fc_y', FEATURES), ...linear('fc_out', classes)];
  }
}
