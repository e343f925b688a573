import { OptionError } from '@g2d/core';
import { sweepStatus } from '@g2d/runs';
import { assertTrusted, modulesOf } from '@g2d/runs/internal';
import { defineCommand } from '../command.js';
import { required } from '../data/arguments.js';
import { engineOf, engineOptions, planOn } from './engines.js';
import { formatStatus } from './format-status.js';
import { sweepInTerminal } from './in-terminal.js';
import { beganPlan } from './place.js';

/** `g2d sweep retry`. */
export const sweepRetryCommand = defineCommand({
  usage: 'DIR [ID...] [options]',
  description:
    'Trains the failed runs of a sweep again, from their last checkpoints, and the runs that wait for them; nothing else. With IDs, only these. With --engine slurm they are submitted again.',
  options: {
    ...engineOptions,
    json: { help: 'the status as JSON' },
    quiet: { help: 'no progress' },
  },
  details: 'Example: g2d sweep retry runs/av-mnist-small',
  async run({ values, positionals: [path, ...ids] }, { out, err }) {
    const plan = planOn(beganPlan(required('DIR', path, "a sweep's folder")), values.processes);
    const failed = sweepStatus(plan).flatMap(({ id, state }) => (state === 'failed' ? [id] : []));
    const other = ids.find((id) => !failed.includes(id));
    if (other !== undefined) {
      throw new OptionError(
        `${other} is no failed run of ${plan.out}; ${failed.length > 0 ? `these are: ${failed.join(', ')}` : 'there is none'}.`,
        { option: 'ID', value: other, accepted: failed.join(', ') },
      );
    }
    if (failed.length === 0) err(`No run in ${plan.out} has failed.\n`);
    for (const { config } of plan.runs) assertTrusted(modulesOf(config), plan.out, values);
    const { status, exitCode } = await sweepInTerminal(plan, {
      engine: engineOf({ ...values, processes: plan.queues?.processes ?? 1 }, out),
      only: ids.length > 0 ? ids : failed,
      quiet: values.quiet || values.json,
    });
    // Standard output has the Jobs.
    if (values.engine === 'kubernetes') return exitCode;
    out(values.json ? `${JSON.stringify(status)}\n` : formatStatus(status, plan.out));
    return exitCode;
  },
});
