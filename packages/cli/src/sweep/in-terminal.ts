import { printable } from '@g2d/core';
import { loadTensorFlow } from '@g2d/native';
import {
  createProgress,
  runSweep,
  stopSignal,
  type PlannedRun,
  type RunStatus,
  type RunSweepOptions,
  type SweepPlan,
} from '@g2d/runs';
import { stopCode, surviveClosed } from '@g2d/runs/internal';

/** How a sweep came out. */
export interface SweepOutcome {
  readonly status: readonly RunStatus[];
  /** What the process should end with: 0; 1 if a run failed; 129, 130 or 143 if it was asked to stop. */
  readonly exitCode: number;
}

/** How much longer than of a teacher an epoch takes, for the time left. */
const costOf = ({ needs, config: { modalities, encoders } }: PlannedRun): number => {
  const count = (modalities ?? Object.keys(encoders)).length;
  return count === 1 ? 1 : count + (needs.length > 0 ? 1 : 0);
};

/**
 * Runs a sweep with its progress on standard error. Ctrl-C lets what is trained save itself.
 *
 * @param options `quiet`: no progress; what fails is said. `later`: runs of another sweep that the caller goes on with; the time left is
 * that of both.
 */
export async function sweepInTerminal(
  plan: SweepPlan,
  {
    quiet = false,
    later = [],
    ...options
  }: { readonly quiet?: boolean; readonly later?: readonly PlannedRun[] } & Omit<
    RunSweepOptions,
    'signal' | 'reporter' | 'onOpen'
  >,
): Promise<SweepOutcome> {
  await loadTensorFlow({ quiet });
  surviveClosed(process.stderr);
  const say = (line: string): void => void process.stderr.write(`${printable(line)}\n`);
  const total = [...plan.runs, ...later].reduce((sum, run) => sum + costOf(run) * run.config.epochs, 0);
  // What is handed over is trained by others, later.
  const progress =
    quiet || options.engine?.handsOver
      ? { stage: () => {}, advance: () => {}, note: say, stop: () => {} }
      : createProgress(Math.max(1, total));
  const shown = new Map<string, number>();
  const show = (run: PlannedRun, epoch: number): void => {
    progress.advance(costOf(run) * (epoch - (shown.get(run.id) ?? 0)));
    shown.set(run.id, epoch);
  };
  const { signal, dispose } = stopSignal((line) => progress.note(line));
  try {
    const status = await runSweep(plan, {
      ...options,
      signal,
      onOpen: ({ resumed }) => {
        if (resumed && !options.engine?.handsOver)
          progress.note(`g2d: going on with the interrupted runs in ${plan.out}.`);
      },
      onTry: ({ id }, n, count) => progress.stage(`trying ${n} of ${count}: ${id}`),
      reporter: {
        begin: ({ id }) => progress.stage(id),
        epoch: show,
        finished: (run) => show(run, run.config.epochs),
        failed: ({ id }, why) => progress.note(`g2d: ${id} failed. ${why}`),
        note: (line) => progress.note(line),
      },
    });
    progress.stop();
    const isComplete = status.every(({ state }) => state === 'finished');
    const hasFailed = status.some(({ state }) => state === 'failed' || state === 'blocked');
    if (!signal.aborted || isComplete) return { status, exitCode: hasFailed ? 1 : 0 };
    say(`Interrupted; everything is saved in ${plan.out}. The same command goes on.`);
    return { status, exitCode: stopCode(signal) };
  } finally {
    progress.stop();
    dispose();
  }
}
