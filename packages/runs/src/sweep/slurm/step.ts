import { callSlurm } from './programs.js';

// A run on several processes inside of a job: a step of it.

/** Starts a command in so many processes of the job that this process is in; one that fails ends all. */
export const stepCommand = (
  command: readonly string[],
  processes: number,
  { SLURM_CPUS_PER_TASK: cpus }: NodeJS.ProcessEnv = process.env,
): string[] => [
  'srun',
  `--ntasks=${processes}`,
  '--kill-on-bad-exit=1',
  // Since 22.05 srun does not take it from its job.
  ...(cpus ? [`--cpus-per-task=${cpus}`] : []),
  ...command,
];

/**
 * Asks the processes of this job's steps to save themselves. Not by srun, which on SIGTERM kills them; the script of the job, which is no
 * step, does not hear it.
 */
export function signalSteps({ SLURM_JOB_ID: job }: NodeJS.ProcessEnv = process.env): void {
  if (job) callSlurm('scancel', ['--signal=TERM', job]);
}
