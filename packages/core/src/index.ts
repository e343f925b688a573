// Errors
export {
  DatasetNotFoundError,
  FileFormatError,
  G2DError,
  OptionError,
  ShapeError,
  UnknownModalityError,
} from './errors.js';
export { shown } from './shown.js';

// Text of a file
export { decodeText } from './decode-text.js';

// Numbers as people read them
export { formatDigits, formatNumber } from './format-number.js';
// What files say, shown
export { printable } from './printable.js';

// Data
export { assertModalityNames, isModalityName } from './modality-names.js';
export { perModality, type PerModality } from './per-modality.js';
export type {
  DatasetSource,
  Label,
  MultimodalDataset,
  Preprocessing,
  Sample,
  SampleOptions,
  Split,
  RegressionOutput,
  Task,
} from './dataset.js';
export { TASKS } from './dataset.js';
export { isSameLabel, labelProblem, taskWords } from './labels.js';
export type { Batch, Inputs, Labels, Presence, Unlabelled } from './batch.js';
export type { NamedArray } from './named-array.js';
export type { RandomState, RandomStream } from './random.js';

// Models
export type { AbsentRows, Model, Parameter, PassMode, Weight } from './model.js';
export { encodedOf, type Logits, type LossTerms, type Outputs } from './outputs.js';
export type { EncoderOptions, InputShape } from './encoder.js';
export type { Fusion, FusionLayer, FusionOptions, FusionPass } from './fusion.js';

// Training
export type { Gradient, Gradients, NamedGradient } from './gradients.js';
export type { GradientClipping, Optimizer, OptimizerSettings, Schedule } from './optimizer.js';
export type { TeacherOutputs, Teachers } from './teachers.js';
export type {
  AllReduce,
  Pass,
  PassOptions,
  Snapshot,
  SplitFeatures,
  Step,
  Probe,
  StepResult,
  Training,
  ValueAndGrads,
} from './training.js';
export type { Claim, Cost, Recipe } from './recipe.js';
export type { EpochRecord, HeadMetrics, PassCounts, Scores } from './record.js';
export type { Hooks, Method, Needs, Plan, Stage, StageHooks } from './method.js';

// Components define themselves
export {
  isComponent,
  type Component,
  type Configurable,
  type Facts,
  type Kind,
  type Source,
} from './component.js';
export { checkKeys, type KnownKeys } from './known-keys.js';
export { ownValue } from './own-value.js';
export { checkOptions, type OptionsPlace, type OptionsSchema } from './options.js';
export {
  defineMethod,
  defineStack,
  type AnyMethod,
  type MethodDefinition,
  type StackDefinition,
} from './define-method.js';
export { defineEncoder, type AnyEncoder, type EncoderDefinition } from './define-encoder.js';
export { defineFusion, type AnyFusion, type FusionDefinition } from './define-fusion.js';
export {
  defineDataset,
  type AnyDataset,
  type BenchmarkShapes,
  type Clip,
  type DatasetCheck,
  type DatasetDefinition,
  type DatasetParts,
  type View,
} from './define-dataset.js';
