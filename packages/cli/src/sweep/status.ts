import { setTimeout as sleep } from 'node:timers/promises';
import { sweepStatus, type RunStatus, type SweepPlan } from '@g2d/runs';
import { kubernetesPatches } from '@g2d/runs/internal';
import { defineCommand } from '../command.js';
import { formatStatus } from './format-status.js';
import { beganPlan, onlyWord } from './place.js';

/** A queue answers many users. */
const LOOK_MS = 15_000;

/** `g2d sweep status`. */
export const sweepStatusCommand = defineCommand({
  usage: 'DIR [options]',
  description:
    "Prints how far each run of a sweep is: finished, running, queued, stopped (it goes on), waiting, failed, or blocked by one that failed. It reads the run folders alone, from any machine that sees them, and asks squeue if the sweep was given to Slurm. Of failed runs it shows the end of their logs; of Jobs for Kubernetes the commands that start students whose teachers are finished. DIR is the sweep's folder, or its file.",
  options: {
    watch: { help: 'again and again, until nothing more is to come' },
    json: { help: 'as JSON' },
  },
  details: `Exit code: 0; 1 if a run failed.

Example: g2d sweep status runs/av-mnist-small`,
  async run({ values, positionals }, { out }) {
    const path = onlyWord('DIR', positionals, "a sweep's folder");
    for (;;) {
      // It may have grown.
      const plan = beganPlan(path);
      const status = sweepStatus(plan);
      const text = values.json ? `${JSON.stringify(status)}\n` : statusText(plan, status);
      // On a terminal the last one takes the place of the one before.
      out(values.watch && !values.json && process.stdout.isTTY ? `\u001B[2J\u001B[H${text}` : text);
      if (!values.watch || !status.some(({ state }) => COMING.includes(state)))
        return status.some(({ state }) => state === 'failed') ? 1 : 0;
      await sleep(LOOK_MS);
    }
  },
});

/** What goes on by itself, or when somebody gives the same command again. */
const COMING = ['running', 'queued', 'stopped', 'waiting'];

function statusText(plan: SweepPlan, status: readonly RunStatus[]): string {
  const needs = new Map(plan.runs.map((run) => [run.id, run.needs]));
  const patches = kubernetesPatches(plan.out, status, needs);
  const begin =
    patches.length > 0 ? ['Their teachers are finished; to start them:', ...patches, ''].join('\n') : '';
  return `${formatStatus(status, plan.out)}${begin}`;
}
