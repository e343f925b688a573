import { OptionError } from '@g2d/core';
import { planPool, type SweepPlan } from '@g2d/runs';
import { slurmCalls } from '@g2d/runs/internal';
import { defineCommand } from '../command.js';
import { commandLine } from '../run/command-line.js';
import { changedSweep, changeOptions } from './changed-sweep.js';
import { engineOf, engineOptions } from './engines.js';
import { formatStatus } from './format-status.js';
import { sweepInTerminal } from './in-terminal.js';
import { onlyWord } from './place.js';

/** `g2d sweep`. */
export const sweepCommand = defineCommand({
  usage: 'FILE [options]',
  description: `Trains many runs: every combination of a grid of settings, and the teachers that they need, each once. FILE is JSON; every key is described in schema/sweep.schema.json of @g2d/runs, which editors read. Paths of configurations in it are relative to FILE, all others to the folder in which g2d is started.

The same command goes on after an interruption, trains again what failed, and trains what has been added to the grid. What is finished stays. Sweeps that share a folder share their runs: one that another has planned is not trained again. A run that fails is named, and keeps none but those that need it from being trained. The folder of each run is all that is known of it: g2d sweep status reads it at any time.

--engine slurm submits what is neither finished nor in the queue, prints the numbers of the jobs, and returns: an array for the runs that need nothing, and one for each set of teachers, whose jobs wait for them. --engine kubernetes writes Jobs for kubectl apply. Both are told how by "slurm" and "kubernetes" in FILE; docs/cluster.md of the repository has examples.`,
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
    'dry-run': { help: 'slurm: prints the calls of sbatch; nothing is submitted or written' },
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
    const sweep = changedSweep(path, values);
    const { processes } = sweep;
    const engine = values['dry-run'] ? undefined : engineOf({ ...values, processes }, out);
    const allowed = values['allow-changed'] && { allowChanged: true };
    const plan = await planPool([{ ...sweep, set: { ...allowed, ...sweep.set } }]);
    if (values['dry-run']) return printCalls(plan, values, out);
    const { status, exitCode } = await sweepInTerminal(plan, {
      ...(engine && { engine }),
      fresh: values.fresh,
      quiet: values.quiet || values.json,
    });
    // Standard output has the Jobs.
    if (values.engine === 'kubernetes') return exitCode;
    out(values.json ? `${JSON.stringify(status)}\n` : formatStatus(status, plan.out));
    return exitCode;
  },
});

function printCalls(
  plan: SweepPlan,
  { engine, sbatch }: { readonly engine: string; readonly sbatch: readonly string[] },
  out: (text: string) => void,
): number {
  if (engine !== 'slurm') {
    throw new OptionError(
      `--dry-run is of --engine slurm, and the engine is ${engine}; g2d sweep plan prints the runs.`,
      { option: 'dry-run', value: true, accepted: '--engine slurm' },
    );
  }
  const calls = slurmCalls(plan, sbatch);
  for (const args of calls) out(`${commandLine('sbatch', args)}\n`);
  out(`${calls.length} calls of sbatch\n`);
  return 0;
}
