// Whole runs, as `g2d train` makes them
export { parseConfig, readConfig } from './read-config.js';
export type { RunConfig } from './config-schema.js';
export { trainRun, type TrainRunOptions } from './train-run.js';
export type { RunOutcome } from './train-opened.js';
export type { RunReporter } from './run-reporter.js';
export { tryRun } from './try-run.js';

// One run on several processes
export { launched, type Launch } from './processes/launched.js';
export { joinProcesses, type JoinOptions } from './processes/join-processes.js';
export type { Processes, Sent } from './processes/processes.js';
export { startProcesses } from './processes/start-processes.js';

// Its folder, and what it wrote
export { loadRun, type LoadedRun } from './load-run.js';
export { RunFolder, type RunSummary } from './node/run-folder.js';
export type { RunPredictions } from '@g2d/core/run-folder';

// Many runs, as `g2d sweep` makes them
export { readSweep, type Sweep, type SweepBase } from './sweep/read-sweep.js';
export type { SweepFile, SweepQueues } from './sweep/schema.js';
export { planSweep, type PlannedRun, type SweepPlan } from './sweep/plan.js';
export { planPool, type Combination, type PoolMember, type SweepPool } from './sweep/pool.js';
export { runKey } from './sweep/run-key.js';
export { readPlan } from './sweep/manifest.js';
export { runSweep, type RunSweepOptions } from './sweep/run-sweep.js';
export type { OpenSweepOptions } from './sweep/open-sweep.js';
export { sweepStatus, type RunState, type RunStatus } from './sweep/status.js';
export type { EngineContext, SweepEngine, SweepReporter } from './sweep/engine.js';
export { localEngine, type Worker } from './sweep/local-engine.js';
export { childWorker } from './sweep/child-worker.js';
export { slurmEngine, type SlurmOptions } from './sweep/slurm/slurm-engine.js';
export type { SlurmSettings } from './sweep/slurm/arrays.js';
export { kubernetesEngine, type KubernetesOptions } from './sweep/kubernetes/kubernetes-engine.js';
export type { KubernetesList, KubernetesSettings } from './sweep/kubernetes/jobs.js';

// The parts of a run folder, for a loop of your own
export { lockRun } from './node/run-lock.js';
export type { Checkpoint, CheckpointLabel } from './node/checkpoints/checkpoint.js';
export { readCheckpoint, type LoadedCheckpoint } from './node/checkpoints/read-checkpoint.js';
export { writeCheckpoint } from './node/checkpoints/write-checkpoint.js';

// What programs around runs need
export { createProgress, type Progress } from './node/progress.js';
export { stopSignal } from './node/stop-signal.js';
