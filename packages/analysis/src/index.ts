// Run folders in
export { readRun, readStartedRun } from './read-run.js';
export { readRunGroup } from './read-run-group.js';
export type {
  Accuracies,
  ClassScores,
  EpochMetrics,
  GroupSummary,
  HeadMetrics,
  PartMetrics,
  PerModality,
  Run,
  RunConfig,
  RunEnvironment,
  RunGroup,
  RunPredictions,
  RunSummary,
  RunTeacher,
  Selection,
  StartedRun,
  Task,
} from './run.js';

// Tables out
export { resultsTable, type ResultsRow } from './results-table.js';
export { formatTable } from './format-table.js';

// A page out
export { renderReport, type ReportOptions } from './report/page.js';
export type { ReportPart, ReportSample } from './report/samples.js';
export type { GrayImage } from './report/png.js';

// Several seeds
export { bootstrapInterval, meanAndDeviation, type Interval } from './bootstrap.js';
