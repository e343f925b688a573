import { appendToQueueLog } from '../queue-log.js';
import { callSlurm, slurmError } from './programs.js';
import { askQueue } from './queue.js';

/** How many numbers one call takes. */
const AT_ONCE = 500;

/**
 * Takes the jobs of a sweep out of the queue; runs that are trained save themselves first. The caller holds the sweep's folder.
 *
 * @returns Numbers of the arrays, and how many runs they were.
 * @throws {G2DError} `G2D_SLURM` if Slurm refuses, or does not say what it has.
 */
export function cancelJobs(out: string): { readonly jobs: readonly string[]; readonly runs: number } {
  const { runs, problem } = askQueue(out);
  if (problem !== undefined) throw slurmError('squeue', problem, 'Nothing was cancelled.');
  const jobs = [...new Set([...runs.values()].map(({ job }) => job.replace(/_\d+$/, '')))];
  if (jobs.length === 0) return { jobs, runs: 0 };
  // First, so that a run that saves itself does not go back into the queue.
  appendToQueueLog(out, { cancelled: jobs });
  for (let i = 0; i < jobs.length; i += AT_ONCE) {
    const refused = callSlurm('scancel', jobs.slice(i, i + AT_ONCE)).problem;
    if (refused !== undefined) throw slurmError('scancel', refused, 'The same command tries again.');
  }
  return { jobs, runs: runs.size };
}
