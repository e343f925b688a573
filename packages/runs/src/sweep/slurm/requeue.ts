import { readQueueLog } from '../queue-log.js';
import { callSlurm } from './programs.js';

/** The element of an array that this process is: `123_4`; `undefined` outside of one. */
export function slurmJob(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const { SLURM_ARRAY_JOB_ID: array, SLURM_ARRAY_TASK_ID: element } = env;
  return array === undefined || element === undefined ? undefined : `${array}_${element}`;
}

/**
 * Puts a job back into the queue, in which others go on waiting for it. Its process is ended by Slurm.
 *
 * One that Slurm itself is taking away (it was cancelled, or makes room for another) is left to it.
 *
 * @returns Why that was not done.
 */
export function requeue(out: string, job: string): string | undefined {
  if (readQueueLog(out).cancelled.has(job.replace(/_\d+$/, ''))) return 'it was cancelled';
  const { output, problem } = callSlurm('squeue', ['-h', '-j', job, '-o', '%T']);
  const state = output.trim();
  // Where squeue does not answer, scontrol will say why not.
  if (problem === undefined && state !== 'RUNNING') return `it is ${state || 'not in the queue any more'}`;
  return callSlurm('scontrol', ['requeue', job]).problem;
}
