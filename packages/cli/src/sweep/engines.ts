import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { OptionError } from '@g2d/core';
import {
  childWorker,
  kubernetesEngine,
  localEngine,
  slurmEngine,
  type SweepEngine,
  type SweepPlan,
} from '@g2d/runs';
import { onProcesses } from '@g2d/runs/internal';
import { parseWhole } from '../data/arguments.js';
import { parseProcesses } from '../run/processes-of.js';
import { trustOption } from '../run/run-argument.js';

const ENGINES = ['local', 'slurm', 'kubernetes'];

/** Options of commands that train a sweep. */
export const engineOptions = {
  engine: {
    value: 'NAME',
    default: 'local',
    help: 'where runs are trained: local (default); slurm, which gets them as jobs; kubernetes, for which Jobs are written on standard output',
  },
  jobs: {
    value: 'N',
    default: '1',
    help: 'local: so many at once, each in a process of its own with its share of the processor (default: 1, in this process)',
  },
  processes: {
    value: 'N',
    help: "train each run on N processes, which share each batch (default: the sweep's, or 1); docs/processes.md of the repository",
  },
  sbatch: {
    value: 'OPTION',
    multiple: true,
    help: "slurm: an option of sbatch behind those of the sweep's file, as --sbatch=--partition=gpu; may be given several times",
  },
  trust: trustOption,
} as const;

/** Starts `g2d sweep run`, which trains one run. */
export const runCommand = (trust: boolean): string[] => {
  const home = dirname(createRequire(import.meta.url).resolve('@g2d/cli/package.json'));
  return [process.execPath, join(home, 'bin/g2d.js'), 'sweep', 'run', ...(trust ? ['--trust'] : [])];
};

/**
 * The engine that a command line asks for.
 *
 * @param write Takes what an engine has for standard output. Default: standard output.
 * @throws {OptionError} If there is no such engine, or none of it on this machine.
 */
export function engineOf(
  {
    engine,
    jobs: text,
    sbatch = [],
    trust,
    processes = 1,
  }: {
    readonly engine: string;
    readonly jobs: string;
    readonly sbatch?: readonly string[];
    readonly trust: boolean;
    /** Of each run of the plan. */
    readonly processes?: number;
  },
  write: (text: string) => void = (words) => void process.stdout.write(words),
): SweepEngine {
  if (engine === 'slurm') return slurmEngine({ command: runCommand(trust), options: sbatch });
  if (engine === 'kubernetes')
    return kubernetesEngine({ write: (jobs) => write(`${JSON.stringify(jobs, null, 1)}\n`) });
  if (engine !== 'local') {
    throw new OptionError(`--engine is "${engine}"; it can be ${ENGINES.join(', ')}.`, {
      option: 'engine',
      value: engine,
      accepted: ENGINES.join(', '),
    });
  }
  const jobs = parseWhole('jobs', text, 1);
  return localEngine(
    jobs * processes === 1
      ? { trust }
      : { jobs, worker: childWorker(runCommand(trust), { jobs, processes }) },
  );
}

/**
 * A plan whose runs are trained by as many processes as a command line says, if it does.
 *
 * @throws {OptionError} If it says no number of processes, or a run cannot be shared by so many.
 */
export const planOn = <P extends SweepPlan>(plan: P, processes: string | undefined): P =>
  processes === undefined ? plan : onProcesses(plan, parseProcesses(processes));
