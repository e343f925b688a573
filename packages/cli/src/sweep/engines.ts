import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { OptionError } from '@g2d/core';
import {
  childWorker,
  kubernetesEngine,
  localEngine,
  slurmEngine,
  type SweepEngine,
  type SweepPlan,
} from '@g2d/runs';
import { parseWhole } from '../data/arguments.js';
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
 * @param plan Whose runs it will train. Without it nothing is tried again.
 * @param write Takes what an engine has for standard output.
 * @throws {OptionError} If there is no such engine, or none of it on this machine.
 */
export function engineOf(
  { engine, jobs: text, trust }: { readonly engine: string; readonly jobs: string; readonly trust: boolean },
  plan?: SweepPlan,
  write: (text: string) => void = (words) => void process.stdout.write(words),
): SweepEngine {
  const { name = 'g2d', out = '', queues: { retries, slurm, kubernetes } = { retries: 0 } } = plan ?? {};
  if (engine === 'slurm') {
    const command = [...runCommand(trust), resolve(out), '--planned', '--retries', String(retries)];
    return slurmEngine({ name, command, ...(slurm && { settings: slurm }) });
  }
  if (engine === 'kubernetes') {
    return kubernetesEngine({
      name,
      settings: kubernetes,
      retries,
      write: (jobs) => write(`${JSON.stringify(jobs, null, 1)}\n`),
    });
  }
  if (engine !== 'local') {
    throw new OptionError(`--engine is "${engine}"; it can be ${ENGINES.join(', ')}.`, {
      option: 'engine',
      value: engine,
      accepted: ENGINES.join(', '),
    });
  }
  const jobs = parseWhole('jobs', text, 1);
  return localEngine(
    jobs === 1 ? { trust, retries } : { jobs, retries, worker: childWorker(runCommand(trust), { jobs }) },
  );
}
