// The loop
export { predictorAt, train, type TrainOptions, type TrainResult } from './train.js';
export type { TrainingOptions } from './training.js';
export type { TrainingSettings } from './staged.js';
export type { Position, TrainingState } from './training-state.js';
export type { SavedState } from './method-state.js';
export { readState, writeState } from './model-state.js';

// Evaluation
export {
  evaluate,
  evaluateMultiLabel,
  evaluateRegression,
  inferenceOf,
  type EvaluateOptions,
  type Evaluation,
  type MultiLabelEvaluation,
  type Predictor,
  type RegressionEvaluation,
} from './evaluate.js';
export type { ClassMetrics, ClassScores, LabelSetMetrics, SplitMetrics, ValueMetrics } from '@g2d/tensor-ops';
export type { EarlyStopping } from './early-stopping.js';
export type { LossOptions } from './loss-options.js';
export { extractFeatures } from './extract-features.js';

// Teachers
export {
  frozenTeachers,
  type FrozenTeachers,
  type FrozenTeachersOptions,
  type StoredTeacher,
} from './frozen-teachers.js';
export { teacherConfidence } from './teacher-confidence.js';
export { teacherEnsemble } from './teacher-ensemble.js';
