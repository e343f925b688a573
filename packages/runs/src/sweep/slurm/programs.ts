import { spawnSync } from 'node:child_process';
import { G2DError, OptionError } from '@g2d/core';
import { withAbsolutePath } from '../../node/absolute-path.js';

/** The programs of Slurm that are used. */
type Program = 'sbatch' | 'squeue' | 'scontrol' | 'scancel';

/** What came of a program. */
export interface Answer {
  /** Its standard output; empty if it failed. */
  readonly output: string;
  /** Why it failed, in one line. */
  readonly problem?: string;
  /** There is no such program. */
  readonly isMissing: boolean;
}

/** Slurm's controller may be slow, but not for ever. */
const PATIENCE_MS = 120_000;

/** Calls a program of Slurm, without a shell. */
export function callSlurm(program: Program, args: readonly string[]): Answer {
  const { error, status, signal, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    env: withAbsolutePath(process.env),
    timeout: PATIENCE_MS,
    maxBuffer: Infinity,
  });
  if (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const problem = isMissing ? `there is no ${program} on this machine` : error.message;
    return { output: '', problem, isMissing };
  }
  if (status === 0) return { output: stdout, isMissing: false };
  const said = (stderr || stdout).trim().split('\n').filter(Boolean);
  const how = signal ? `it was ended by ${signal}` : `it ended with exit code ${status}`;
  return { output: '', problem: said.at(-1) ?? how, isMissing: false };
}

/** The error of a program that refused. */
export const slurmError = (program: Program, problem: string, then: string): G2DError =>
  new G2DError(
    'G2D_SLURM',
    `${/^\w+:/.test(problem) ? problem : `${program}: ${problem}`}. ${then}`.replace('..', '.'),
    {
      program,
      problem,
    },
  );

/** @throws {OptionError} If there is no Slurm on this machine. */
export function assertSlurm(): void {
  if (!callSlurm('sbatch', ['--version']).isMissing) return;
  throw new OptionError(
    'There is no Slurm here (no sbatch on the PATH); --engine local trains on this machine.',
    { option: 'engine', value: 'slurm', accepted: 'a machine from which jobs are submitted' },
  );
}
