export { evaluate, inferenceOf, type Evaluation, type Predictor } from './evaluate.js';
export { frozenTeachers, type FrozenTeachers } from './frozen-teachers.js';
export type { LossTerms, Method, Step } from './method.js';
export { g2dDistillation } from './methods/g2d-distillation.js';
export {
  modalityPrioritization,
  type PrioritizationOptions,
  type SuppressionScope,
} from './methods/modality-prioritization.js';
export {
  train,
  type Accuracies,
  type EpochRecord,
  type OptimizerOptions,
  type TrainOptions,
} from './train.js';
export { readState, writeState } from './model-state.js';
