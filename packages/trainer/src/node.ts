export { createProgress, type Progress } from './node/progress.js';
export { RunFolder, type RunSummary } from './node/run-folder.js';
export { openRunGroup, type RunGroup } from './node/run-group.js';
