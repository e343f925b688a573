import { lockRun } from '@g2d/runs';
import { cancelJobs, readQueueLog } from '@g2d/runs/internal';
import { defineCommand } from '../command.js';
import { commandLine } from '../run/command-line.js';
import { beganPlan, onlyWord } from './place.js';

/** `g2d sweep cancel`. */
export const sweepCancelCommand = defineCommand({
  usage: 'DIR',
  description:
    "Takes the jobs of a sweep out of Slurm's queue, and no others. Runs that are being trained save themselves; g2d sweep FILE --engine slurm goes on with all of them. For Jobs of Kubernetes it prints the command. DIR is the sweep's folder, or its file.",
  options: {},
  details: 'Example: g2d sweep cancel runs/av-mnist-small',
  async run({ positionals }, { out }) {
    const { out: folder } = beganPlan(onlyWord('DIR', positionals, "a sweep's folder"));
    const { lists, kubernetes } = readQueueLog(folder);
    if (lists.size === 0) {
      out(
        `Nothing to cancel: no run of ${folder} was given to a queue. Ctrl-C stops runs on this machine.\n`,
      );
      return 0;
    }
    if (kubernetes.size > 0) {
      const names = [...new Set(kubernetes.keys())];
      out(`${commandLine('kubectl delete --ignore-not-found job,jobset', names)}\n`);
    }
    const release = lockRun(folder);
    try {
      const { jobs, runs } = cancelJobs(folder);
      const words = `${runs} run${runs === 1 ? '' : 's'}`;
      out(
        jobs.length > 0
          ? `cancelled ${words}: jobs ${jobs.join(', ')}\n`
          : 'No job of this sweep is in the queue.\n',
      );
    } finally {
      release();
    }
    return 0;
  },
});
