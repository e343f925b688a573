export { createProgress, type Progress } from './node/progress.js';
export { epochLabel, type Checkpoint, type CheckpointLabel } from './node/checkpoints/checkpoint.js';
export { readCheckpoint, type LoadedCheckpoint } from './node/checkpoints/read-checkpoint.js';
export { writeCheckpoint } from './node/checkpoints/write-checkpoint.js';
// Whole runs, as `g2d train` makes them
export { parseConfig, readConfig } from './run/read-config.js';
export type { RunConfig } from './run/config-schema.js';
export { trainRun, type RunOutcome, type RunReporter, type TrainRunOptions } from './run/train-run.js';
export { loadRun, type LoadedRun } from './run/load-run.js';
export { RunFolder, type RunPredictions, type RunSummary } from './node/run-folder.js';
export { stopSignal } from './node/stop-signal.js';

// Its parts
export { openRunGroup, type RunGroup } from './node/run-group.js';
export { lockRun } from './node/run-lock.js';
