import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { OptionError } from '@g2d/core';
import { childWorker, localEngine, planPool, type SweepEngine } from '@g2d/runs';
import { defineCommand } from '../command.js';
import { parseWhole } from '../data/arguments.js';
import { trustOption } from '../run/run-argument.js';
import { changedSweep, changeOptions } from './changed-sweep.js';
import { formatStatus } from './format-status.js';
import { sweepInTerminal } from './in-terminal.js';
import { onlyWord } from './place.js';

/** Starts what trains one run in a process of its own: `g2d sweep run DIR ID`. */
const childCommand = (trust: boolean): string[] => {
  const home = dirname(createRequire(import.meta.url).resolve('@g2d/cli/package.json'));
  return [process.execPath, join(home, 'bin/g2d.js'), 'sweep', 'run', ...(trust ? ['--trust'] : [])];
};

export const engineOptions = {
  engine: { value: 'NAME', default: 'local', help: 'where runs are trained: local (default)' },
  jobs: {
    value: 'N',
    default: '1',
    help: 'so many at once, each in a process of its own with its share of the processor (default: 1, in this process)',
  },
  trust: trustOption,
} as const;

/** @throws {OptionError} If there is no such engine. */
export function engineOf({
  engine,
  jobs: text,
  trust,
}: {
  readonly engine: string;
  readonly jobs: string;
  readonly trust: boolean;
}): SweepEngine {
  if (engine !== 'local') {
    throw new OptionError(`--engine is "${engine}"; it can be local.`, {
      option: 'engine',
      value: engine,
      accepted: 'local',
    });
  }
  const jobs = parseWhole('jobs', text, 1);
  return localEngine(jobs === 1 ? { trust } : { jobs, worker: childWorker(childCommand(trust), { jobs }) });
}

/** `g2d sweep`. */
export const sweepCommand = defineCommand({
  usage: 'FILE [options]',
  description: `Trains many runs: every combination of a grid of settings, and the teachers that they need, each once. FILE is JSON; every key is described in schema/sweep.schema.json of @g2d/runs, which editors read. Paths of configurations in it are relative to FILE, all others to the folder in which g2d is started.

The same command goes on after an interruption, trains again what failed, and trains what has been added to the grid. What is finished stays. Sweeps that share a folder share their runs: one that another has planned is not trained again. A run that fails is named, and keeps none but those that need it from being trained. The folder of each run is all that is known of it: g2d sweep status reads it at any time.`,
  options: {
    out: { value: 'DIR', help: "the folder of the run folders (default: the file's, or runs/NAME)" },
    ...engineOptions,
    ...changeOptions,
    'allow-changed': {
      help: 'keep finished runs, and go on, although data, modules or teachers are not what they were; runs record it',
    },
    fresh: {
      help: 'what DIR holds moves to DIR.previous (DIR.previous-2 …), unless it is an interrupted sweep of the same settings, code and backend',
    },
    json: { help: 'the status as JSON on standard output' },
    quiet: { help: 'no progress' },
  },
  details: `A sweep:
  { "name": "table-1", "base": "paper.json",
    "grid": { "seed": [0, 1, 2], "method": ["joint", "ogm-ge", "g2d"] },
    "teachers": { "set": { "select": "validation-best" } },
    "references": [{ "name": "teacher-mean", "set": { "method": "ume", "epochs": 0 } }] }

Exit code: 0; 1 if a run failed; 2 for an error that says what to do; 130 if interrupted.

Example: g2d sweep examples/av-mnist-small/sweep.json && g2d compare runs/av-mnist-small`,
  async run({ values, positionals }, { out }) {
    const path = onlyWord('FILE', positionals, 'a JSON file, see g2d sweep --help');
    const engine = engineOf(values);
    const sweep = changedSweep(path, values);
    const allowed = values['allow-changed'] && { allowChanged: true };
    const plan = await planPool([{ ...sweep, set: { ...allowed, ...sweep.set } }]);
    const { status, exitCode } = await sweepInTerminal(plan, {
      engine,
      fresh: values.fresh,
      quiet: values.quiet || values.json,
    });
    out(values.json ? `${JSON.stringify(status)}\n` : formatStatus(status, plan.out));
    return exitCode;
  },
});
