// For packages that bring kernels of their own to the `tensorflow` backend: its operations by name, and kernels with gradients
export {
  attribute,
  execute,
  hasOperation,
  oneDnnLabel,
  TENSORFLOW,
  tensorflow,
  type Attribute,
  type TensorFlowBackend,
} from './tensorflow/operations.js';
export {
  assertFirstOrder,
  defineKernel,
  disposeSaved,
  runKernel,
  type KernelDefinition,
} from './tensorflow/define-kernel.js';
// … and for the one that other backends may bring: SGD runs it where it is registered.
export { SGD_KERNEL, type SGDAttributes } from './optimizers/sgd-update.js';
