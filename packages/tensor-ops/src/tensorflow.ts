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
export { defineKernel, runKernel, type KernelDefinition } from './tensorflow/define-kernel.js';
