/** What a self-test program prints when TensorFlow computes correctly, but for the version. */
export const rightAnswer = {
  gpu: false,
  y: [37, 47, 67, 77],
  dx: [1, 3, 2, 4, 10, 6, 3, 7, 4],
  dw: [12, 16, 24, 28],
};

/** What the kernels' test prints when each agrees with TensorFlow: the largest differences. */
export const rightDifferences = {
  BatchNorm: '1e-7',
  'BatchNorm, gradient': '1e-7',
  'BatchNorm and ReLU': '1e-7',
  'BatchNorm and ReLU, gradient': '1e-7',
  BatchNormAddRelu: '1e-7',
  BatchNormAddReluGrad: '1e-7',
  BatchNormReluMaxPool: '1e-7',
  BatchNormReluMaxPoolGrad: '0',
  'BatchNormInference, ReLU false': '1e-7',
  'BatchNormInference, ReLU true': '1e-7',
  ReluGrad: '0',
  MaxPool: '0',
  MaxPoolGrad: '0',
  'MaxPool of NaN': '0',
  'MatMul, plain': '1e-7',
  'MatMul, a transposed': '1e-7',
  'MatMul, b transposed': '1e-7',
  'Conv2D, window 1': '1e-7',
  'Conv2D, window 3': '1e-7',
  'Conv3x3, padding 1,1': '1e-7',
  'Conv3x3, padding 1,1, bias': '1e-7',
  'Conv3x3, padding 1,1, gradients': '1e-7',
  'Conv3x3, padding 0,2': '1e-7',
  'Conv3x3, padding 0,2, bias': '1e-7',
  'Conv3x3, padding 0,2, gradients': '1e-7',
};
