import { loadTensorFlow } from '@g2d/native';
import { OptionError } from '@g2d/core';
import { readPlan, stopSignal } from '@g2d/runs';
import { assertTrusted, modulesOf, stopCode, trainPlanned } from '@g2d/runs/internal';
import { defineCommand } from '../command.js';
import { required } from '../data/arguments.js';
import { trustOption } from '../run/run-argument.js';

/** `g2d sweep run`. */
export const sweepRunCommand = defineCommand({
  usage: 'DIR ID [options]',
  description:
    'Trains one run of a sweep that has begun, or goes on with it: what --jobs starts, and what any other starter of jobs can start. ID is what g2d sweep status calls it. A finished run is finished at once.',
  options: { trust: trustOption },
  details: `Exit code: 0; 2 for an error that says what to do; 129 (SIGHUP), 130 (SIGINT) or 143 (SIGTERM) if it was stopped and goes on later.

Example: g2d sweep run runs/av-mnist-small g2d`,
  async run({ values, positionals: [path, name] }, { err }) {
    const out = required('DIR', path, "a sweep's folder");
    const id = required('ID', name, 'a run of the sweep');
    const { runs } = readPlan(out);
    const run = runs.find((planned) => planned.id === id);
    if (!run) {
      throw new OptionError(`The sweep in ${out} has no run ${id}; g2d sweep status ${out} lists them.`, {
        option: 'ID',
        value: id,
        accepted: runs.map((planned) => planned.id).join(', '),
      });
    }
    // A sweep that starts us has been given them by its user.
    if (!process.connected) assertTrusted(modulesOf(run.config), out, values);
    await loadTensorFlow({ quiet: true });
    const { signal, dispose } = stopSignal((line) => err(`${line}\n`));
    // Whoever started us is gone: nobody would stop us any more.
    const orphaned = (): void => void process.kill(process.pid, 'SIGTERM');
    process.once('disconnect', orphaned);
    if (process.connected === false) orphaned();
    // What cannot be told any more is no fault.
    const tell = (epoch: number): void => {
      if (process.connected) process.send?.({ epoch }, undefined, undefined, () => {});
    };
    try {
      const { status } = await trainPlanned(run, {
        out,
        signal,
        trust: values.trust,
        reporter: {
          begin: ({ total, done }) => tell(Math.floor((run.config.epochs * done) / Math.max(1, total))),
          step: () => {},
          epoch: ({ epoch }) => tell(epoch),
          note: (line) => err(`${line}\n`),
        },
      });
      return status === 'finished' ? 0 : stopCode(signal);
    } finally {
      process.off('disconnect', orphaned);
      dispose();
    }
  },
});
