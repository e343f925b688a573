export {
  evaluate,
  evaluateRegression,
  inferenceOf,
  type Evaluation,
  type Predictor,
  type RegressionEvaluation,
} from './evaluate.js';
export {
  frozenTeachers,
  type FrozenTeachers,
  type FrozenTeachersOptions,
  type StoredTeacher,
} from './frozen-teachers.js';
export { teacherConfidence } from './teacher-confidence.js';
export { teacherEnsemble } from './teacher-ensemble.js';
export type {
  Differentiated,
  EpochRecord,
  ForwardOptions,
  LossTerms,
  Method,
  Scores,
  Step,
  StepResult,
  Training,
} from './method.js';
export { g2dDistillation } from './methods/g2d-distillation.js';
export { modalityPrioritization, type PrioritizationOptions } from './methods/modality-prioritization.js';
export { train, type OptimizerOptions, type TrainOptions } from './train.js';
export { readState, writeState } from './model-state.js';
