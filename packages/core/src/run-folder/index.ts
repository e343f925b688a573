// The files of a run folder: what runs write and everybody reads
export { checkFile } from './check-file.js';
export { parseJson, type FilePlace } from './parse-json.js';
export {
  RECORDED_KEYS,
  RUN_FORMAT,
  RUN_VERSION,
  recordedConfigSchema,
  recordedFactsSchema,
  type RecordedConfig,
  type RecordedFacts,
  type RunComponents,
  type RunEnvironment,
  type RunFacts,
} from './config.js';
export {
  checksumWords,
  classDifference,
  splitDifferences,
  type RunIdentity,
  type SplitDifference,
  type SplitFingerprint,
} from './identity.js';
export { epochMetricsSchema, type EpochMetrics } from './metrics.js';
export {
  summarySchema,
  writtenSummarySchema,
  type ClassScores,
  type RunSummary,
  type WrittenSummary,
} from './summary.js';
export { predictionsSchema, type RunPredictions } from './predictions.js';
export { groupSummarySchema, type GroupSummary } from './group.js';
export { CHECKPOINT_FORMAT, CHECKPOINT_VERSION, stateFileSchema, type StateFile } from './checkpoint.js';
