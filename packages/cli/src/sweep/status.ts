import { sweepStatus } from '@g2d/runs';
import { defineCommand } from '../command.js';
import { formatStatus } from './format-status.js';
import { beganPlan, onlyWord } from './place.js';

/** `g2d sweep status`. */
export const sweepStatusCommand = defineCommand({
  usage: 'DIR [options]',
  description:
    "Prints how far each run of a sweep is: finished, running, stopped (it goes on), waiting, failed, or blocked by one that failed. It reads the run folders alone, from any machine that sees them. DIR is the sweep's folder, or its file.",
  options: { json: { help: 'as JSON' } },
  details: `Exit code: 0; 1 if a run failed.

Example: g2d sweep status runs/av-mnist-small`,
  async run({ values, positionals }, { out }) {
    const plan = beganPlan(onlyWord('DIR', positionals, "a sweep's folder"));
    const status = sweepStatus(plan);
    out(values.json ? `${JSON.stringify(status)}\n` : formatStatus(status, plan.out));
    return status.some(({ state }) => state === 'failed') ? 1 : 0;
  },
});
