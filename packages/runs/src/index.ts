// Whole runs, as `g2d train` makes them
export { parseConfig, readConfig } from './read-config.js';
export type { RunConfig } from './config-schema.js';
export { trainRun, type RunOutcome, type RunReporter, type TrainRunOptions } from './train-run.js';
export { loadRun, type LoadedRun } from './load-run.js';
export { RunFolder, type RunSummary } from './node/run-folder.js';
export type { RunPredictions } from '@g2d/core/run-folder';
export { openRunGroup, type RunGroup } from './node/run-group.js';

// The parts of a run folder, for a loop of your own
export { lockRun } from './node/run-lock.js';
export { epochLabel, type Checkpoint, type CheckpointLabel } from './node/checkpoints/checkpoint.js';
export { readCheckpoint, type LoadedCheckpoint } from './node/checkpoints/read-checkpoint.js';
export { writeCheckpoint } from './node/checkpoints/write-checkpoint.js';

// What programs around runs need
export { createProgress, type Progress } from './node/progress.js';
export { stopSignal } from './node/stop-signal.js';
