export { createProgress, type Progress } from './node/progress.js';
export { openEventFile, type EventFile } from './node/event-file.js';
export { epochLabel, type Checkpoint, type CheckpointLabel } from './node/checkpoints/checkpoint.js';
export { readCheckpoint, type LoadedCheckpoint } from './node/checkpoints/read-checkpoint.js';
export { writeCheckpoint } from './node/checkpoints/write-checkpoint.js';
export { RunFolder, type RunSummary } from './node/run-folder.js';
export { openRunGroup, type RunGroup } from './node/run-group.js';
export { lockRun } from './node/run-lock.js';
