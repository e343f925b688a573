import { join } from 'node:path';
import { loadTensorFlow } from '@g2d/native';
import { OptionError } from '@g2d/core';
import {
  childWorker,
  joinProcesses,
  launched,
  readPlan,
  startProcesses,
  stopSignal,
  type Launch,
  type PlannedRun,
} from '@g2d/runs';
import {
  assertTrusted,
  EXIT,
  isFinished,
  modulesOf,
  readQueueLog,
  requeue,
  slurmJob,
  stopCode,
  trainPlanned,
  trainQueued,
} from '@g2d/runs/internal';
import { defineCommand, type Output } from '../command.js';
import { parseWhole, required } from '../data/arguments.js';
import { processesOf } from '../run/processes-of.js';
import { trustOption } from '../run/run-argument.js';
import { runCommand } from './engines.js';

/** `g2d sweep run`. */
export const sweepRunCommand = defineCommand({
  usage: 'DIR ID [options]',
  description:
    'Trains one run of a sweep that has begun, or goes on with it: what --jobs starts, and what any other starter of jobs can start. ID is what g2d sweep status calls it. A finished run is finished at once.\n\nWith --list, as jobs of a queue are started, the run gets a process of its own, what becomes of it is written beside its folder, and a job of Slurm that was stopped, or failed for a reason that may pass, goes back into the queue.',
  options: {
    list: { value: 'NAME', help: "in place of ID: a list in the sweep's queue.jsonl" },
    index: {
      value: 'I',
      help: 'which run of the list, from 0 (default: SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX of the environment)',
    },
    retries: {
      value: 'N',
      default: '0',
      help: 'with --list: how often a job of Slurm tries again what failed (default: 0)',
    },
    processes: {
      value: 'N',
      help: 'train on N processes, which share each batch: of this machine, or in a job of Slurm, by srun, wherever it has room; srun and mpirun start them without this',
    },
    planned: {
      help: "load the modules that the sweep's own configurations name: whoever planned it has named them",
    },
    trust: trustOption,
  },
  details: `Exit code: 0; 2 for an error that says what to do; 4 if its teachers are not finished; 129 (SIGHUP), 130 (SIGINT) or 143 (SIGTERM) if it was stopped and goes on later; 1 and all others for what may pass.

Example: g2d sweep run runs/av-mnist-small g2d`,
  async run({ values, positionals: [path, name], args }, output) {
    const out = required('DIR', path, "a sweep's folder");
    const { runs } = readPlan(out);
    const { list, index } = values;
    const id = list === undefined ? required('ID', name, 'a run of the sweep') : listed(out, list, index);
    const run = runs.find((planned) => planned.id === id);
    if (!run) {
      throw new OptionError(`The sweep in ${out} has no run ${id}; g2d sweep status ${out} lists them.`, {
        option: 'ID',
        value: id,
        accepted: runs.map((planned) => planned.id).join(', '),
      });
    }
    // A sweep that starts us has been given them by its user.
    if (!process.connected && !values.planned) assertTrusted(modulesOf(run.config), out, values);
    const launch = launched();
    const processes = processesOf(values.processes, launch);
    if (list !== undefined) {
      assertAlone(launch);
      const retries = parseWhole('retries', values.retries, 0);
      return trainInQueue(run, out, { ...values, retries, processes }, output);
    }
    if (!launch && processes > 1) return startTogether(processes, args);
    return trainHere(run, out, { trust: values.trust, launch }, output);
  },
});

/** @throws {OptionError} If there is no such list, or it has no such run. */
function listed(out: string, list: string, index: string | undefined): string {
  const { SLURM_ARRAY_TASK_ID: element, JOB_COMPLETION_INDEX: completion } = process.env;
  const at = parseWhole(
    'index',
    required('--index', index ?? element ?? completion, 'which run of the list'),
    0,
  );
  const runs = readQueueLog(out).lists.get(list);
  const id = runs?.[at];
  if (id !== undefined) return id;
  const what = runs ? `${runs.length} runs, and none of index ${at}` : 'no such list in its queue.jsonl';
  throw new OptionError(`The list ${list} of ${out} has ${what}. g2d sweep FILE submits its runs anew.`, {
    option: 'list',
    value: list,
    accepted: 'a list and an index that g2d sweep has written',
  });
}

/** @throws {OptionError} If this is one of several processes: a job keeps count of its tries once. */
function assertAlone(launch: Launch | undefined): void {
  if (!launch) return;
  throw new OptionError(
    `g2d sweep run --list is process ${launch.rank} of ${launch.processes}, and starts processes itself. Start it once, with --processes ${launch.processes}.`,
    { option: 'processes', value: launch.processes, accepted: 'one process' },
  );
}

/** Starts the processes of a run, and hands on what the first one says of its epochs. */
async function startTogether(processes: number, args: readonly string[]): Promise<number> {
  const { execPath, execArgv, argv } = process;
  const stop = followStarter();
  try {
    return await startProcesses([execPath, ...execArgv, argv[1] as string, 'sweep', 'run', ...args], {
      processes,
      onMessage: (message) => tell(message as { readonly epoch: number }),
    });
  } finally {
    stop();
  }
}

/** To whoever has started us. What cannot be told any more is no fault. */
function tell(message: { readonly epoch: number }): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

/** Whoever started us is gone: nobody would stop us any more. */
function followStarter(): () => void {
  const orphaned = (): void => void process.kill(process.pid, 'SIGTERM');
  process.once('disconnect', orphaned);
  if (process.connected === false) orphaned();
  return () => void process.off('disconnect', orphaned);
}

async function trainInQueue(
  run: PlannedRun,
  out: string,
  {
    retries,
    trust,
    processes,
  }: { readonly retries: number; readonly trust: boolean; readonly processes: number },
  { err }: Output,
): Promise<number> {
  const say = (line: string): void => err(`${line}\n`);
  // A queue says the same several times: to the process, and to all of them.
  const { signal, dispose } = stopSignal(say, { patient: true });
  const job = slurmJob();
  try {
    const { exit, why, again } = await trainQueued(run, {
      out,
      signal,
      retries,
      worker: childWorker([...runCommand(trust), '--planned'], {
        jobs: 1,
        processes,
        inSlurm: process.env['SLURM_JOB_ID'] !== undefined,
      }),
      reporter: { begin() {}, epoch() {}, finished() {}, failed() {}, note: say },
      ...(job !== undefined && { job }),
    });
    if (why !== undefined) say(`g2d: ${run.id}: ${why}`);
    if (again && job !== undefined) {
      const problem = requeue(out, job);
      say(
        problem === undefined
          ? `g2d: job ${job} goes back into the queue.`
          : `g2d: job ${job} does not come again: ${problem}.`,
      );
    }
    return exit;
  } finally {
    dispose();
  }
}

async function trainHere(
  run: PlannedRun,
  out: string,
  { trust, launch }: { readonly trust: boolean; readonly launch: Launch | undefined },
  { err }: Output,
): Promise<number> {
  const isFirst = !launch || launch.rank === 0;
  const say = (line: string): void => {
    if (isFirst) err(`${line}\n`);
  };
  const open = run.needs.filter((need) => !isFinished(out, need));
  if (open.length > 0 && !isFinished(out, run.id)) {
    say(`g2d: ${run.id} needs ${open.join(', ')}, and that is not finished.`);
    return EXIT.teachers;
  }
  const processes =
    launch && (await joinProcesses(launch, { out: join(out, run.id), note: (line) => say(`g2d: ${line}`) }));
  if (!processes) await loadTensorFlow({ quiet: true });
  // Whoever has started us may say it to us, and to all of its processes.
  const { signal, dispose } = stopSignal(say, {
    patient: launch !== undefined || process.connected === true,
  });
  const stop = followStarter();
  try {
    const { status, ...outcome } = await trainPlanned(run, {
      out,
      signal,
      trust,
      processes,
      reporter: {
        begin: ({ total, done }) =>
          tell({ epoch: Math.floor((run.config.epochs * done) / Math.max(1, total)) }),
        step: () => {},
        epoch: ({ epoch }) => tell({ epoch }),
        note: say,
      },
    });
    processes?.leave();
    if (status === 'finished') return EXIT.finished;
    // Another process may have been asked.
    return stopCode({ reason: ('by' in outcome ? outcome.by : undefined) ?? signal.reason });
  } finally {
    processes?.close();
    stop();
    dispose();
  }
}
