import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { loadTensorFlow } from '@g2d/native';
import { formatNumber, OptionError } from '@g2d/core';
import {
  createProgress,
  joinProcesses,
  launched,
  type Progress,
  RunFolder,
  type RunConfig,
  readConfig,
  trainRun,
  tryRun,
  type RunReporter,
  startProcesses,
  stopSignal,
} from '@g2d/runs';
import { followParent, METHOD_NAMES, stopCode, together } from '@g2d/runs/internal';
import { defineCommand } from '../command.js';
import { parseSettings, required } from '../data/arguments.js';
import { commandLine } from './command-line.js';
import { trustOption } from './run-argument.js';
import { processesOf } from './processes-of.js';
import { writeRunReport } from './run-report.js';
import { formatSummary } from './format-summary.js';

/** `g2d train`. */
export const trainCommand = defineCommand({
  usage: 'CONFIG [options]',
  description: `Trains one model and writes a run folder: config.json (as resolved), metrics.jsonl, tensorboard/, checkpoints/, summary.json, predictions.json, report.html. CONFIG is a JSON file; the examples have one for each dataset, and every key is described in schema/run.schema.json of @g2d/runs, which editors read; g2d encoders, fusions, datasets and methods explain the options of each. Paths in it are relative to the folder in which g2d is started.

A run that was stopped, however, goes on with --resume and ends with the same numbers, bit for bit; with other ids, labels, classes or contents of its data than it began with it is refused, unless --allow-changed is given. Ctrl-C, SIGTERM and a terminal that closes (SIGHUP) finish the step and save first; a second Ctrl-C ends at once. The config.json of a run folder is a configuration too:
  g2d train runs/joint/config.json --resume`,
  options: {
    out: { value: 'DIR', help: 'the run folder (default: runs/NAME-seed-N)' },
    resume: { help: 'go on with the run in DIR, also with more --epochs once it is finished' },
    method: {
      value: 'NAME',
      help: `${METHOD_NAMES.join(', ')}, several joined by "+" (smp on umt: umt+smp), or a module of your own (./mine.js); g2d methods explains them`,
    },
    teacher: {
      value: 'NAME',
      help: 'train the teacher of this modality: its encoder alone, with its own head',
    },
    data: { value: 'DIR', help: "the dataset's folder" },
    'allow-changed': {
      help: 'go on although data, modules or teachers are not what they were; the run records what was other',
    },
    seed: { value: 'N', help: 'of order, augmentation, initial weights, noise' },
    epochs: { value: 'N', help: '(phases of SMP are not scaled: set methodOptions.smp.phaseEpochs)' },
    processes: {
      value: 'N',
      help: 'train on N processes of this machine, which share each batch; srun and mpirun start them without this',
    },
    set: {
      value: 'KEY=VALUE',
      multiple: true,
      help: 'any other setting, with dots: --set optimizer.learningRate=0.01; may be given several times',
    },
    trust: { help: `${trustOption.help}; here only those of teachers, which CONFIG does not name` },
    json: { help: 'the summary as JSON on standard output' },
    quiet: { help: 'no progress' },
  },
  details: `G2D_BACKEND chooses the backend (tensorflow, wasm, cpu).

A configuration:
  { "dataset": { "name": "crema-d", "root": "data/crema-d" },
    "encoders": { "audio": { "type": "resnet18" }, "video": { "type": "resnet18" } },
    "teachers": { "audio": "runs/teacher-audio", "video": "runs/teacher-video" },
    "methodOptions": { "smp": { "phaseEpochs": [150, 150] } },
    "epochs": 300, "batchSize": 16, "optimizer": { "type": "sgd", "learningRate": 0.001, "momentum": 0.9 } }

Settings that every trainer has, with PyTorch's meaning (PART: a modality, which is its encoder; head/<modality>; fusion, all heads and what is shared):
  optimizer.clipping        {"norm": 1} (of the model, or "per": "network") or {"value": 0.1}, of the gradients after the methods
  optimizer.learningRates   {"PART": rate} or {"PART": {"factor": 0.1}}
  optimizer.schedule        {"type": "step", "cosine", "linear" or "plateau", …}; optimizer.warmUp
  accumulate                batches of one step
  loss                      {"classWeights": list, by name, or "balanced", "labelSmoothing": 0.1}; of a regression {"output": "identity"}
  freeze                    ["PART"]
  earlyStopping             {"patience": 10, "minDelta": 0, "metric": "loss", "after": 0}

Exit code: 0; 2 for an error that says what to do; 5 if one of several processes was lost, and the run can go on; 130 if interrupted (129 by SIGHUP, 143 by SIGTERM).

Examples:
  g2d train config.json --teacher audio --out runs/av-mnist-methods/seed-0/teacher-audio
  g2d train config.json --teacher image --out runs/av-mnist-methods/seed-0/teacher-image
  g2d train config.json --method g2d --out runs/av-mnist-methods/seed-0/g2d`,
  async run({ values, positionals, args }, output) {
    const path = required('CONFIG', positionals[0], 'a JSON file, see g2d train --help');
    if (positionals.length > 1) {
      throw new OptionError(
        `"${positionals[1]}" is one argument too many; g2d train takes one configuration.`,
        {
          option: 'CONFIG',
          value: positionals[1],
          accepted: 'one file',
        },
      );
    }
    const launch = launched();
    const count = processesOf(values.processes, launch);
    if (!launch && count > 1) {
      const { execPath, execArgv, argv } = process;
      return startProcesses([execPath, ...execArgv, argv[1] as string, 'train', ...args], {
        processes: count,
      });
    }
    followParent();
    const student = values.teacher === undefined ? undefined : readConfig(path, studentChanges(values));
    const config = readConfig(path, { ...masksOfStudent(student), ...changesOf(values) });
    const out = values.out ?? folderOf(path) ?? join('runs', `${nameOf(config)}-seed-${config.seed}`);
    if (values.resume && !new RunFolder(out).config()) {
      output.err(`There is no run in ${out} to go on with; it begins.\n`);
    }
    const isFirst = !launch || launch.rank === 0;
    const say = isFirst ? (line: string): void => output.err(`${line}\n`) : () => {};
    const processes = launch && (await joinProcesses(launch, { out, note: (line) => say(`g2d: ${line}`) }));
    if (!processes) await loadTensorFlow({ quiet: values.quiet || values.json });
    const progress = values.quiet || !isFirst ? undefined : lazyProgress(say);
    const { signal, dispose } = stopSignal(progress ? progress.note : say);
    try {
      // What is wrong with a student is better known before its teachers are trained.
      if (student && !new RunFolder(out).config())
        await together(processes, () => tryRun(student, { processes: processes?.allReduce.processes ?? 1 }));
      const outcome = await trainRun(config, {
        out,
        resume: values.resume,
        trust: values.trust,
        signal,
        processes,
        reporter: progress?.reporter ?? { begin: () => {}, step: () => {}, epoch: () => {}, note: say },
      });
      progress?.stop();
      processes?.leave();
      if (outcome.status === 'interrupted') {
        say(
          `Interrupted in epoch ${outcome.epoch} of ${config.epochs}; everything is saved. Go on with:\n  g2d train ${join(out, 'config.json')} --resume${values.trust ? ' --trust' : ''}`,
        );
        // Another process may have been asked.
        return stopCode({ reason: outcome.by ?? signal.reason });
      }
      if (!isFirst) return 0;
      const report = await writeRunReport(outcome.folder, {
        command: commandLine('g2d train', args),
        // The user has named what it loads, and it has been loaded.
        trust: true,
        note: say,
      });
      output.out(
        values.json ? `${JSON.stringify(outcome.summary)}\n` : formatSummary(outcome.summary, out, report),
      );
      return 0;
    } finally {
      progress?.stop();
      processes?.close();
      dispose();
    }
  },
});

interface Flags {
  readonly method?: string | undefined;
  readonly teacher?: string | undefined;
  readonly data?: string | undefined;
  readonly 'allow-changed'?: boolean;
  readonly seed?: string | undefined;
  readonly epochs?: string | undefined;
  readonly set: readonly string[];
}

/** The settings of a teacher's command line that the student has too. */
const studentChanges = ({ data, set }: Flags): Record<string, unknown> =>
  changesOf({ data, set: set.filter((setting) => /^(dataset|encoders|data)\./.test(setting)) });

/** A teacher lacks what its student lacks, whose masks are over all that this one has. */
const masksOfStudent = (student: RunConfig | undefined): Record<string, unknown> =>
  student?.data.missing
    ? {
        'data.missing.modalities':
          student.data.missing.modalities ?? student.modalities ?? Object.keys(student.encoders),
      }
    : {};

/** The settings that the command line changes. */
function changesOf({ method, teacher, data, seed, epochs, set, ...rest }: Flags): Record<string, unknown> {
  if (teacher !== undefined && method !== undefined) {
    throw new OptionError('--teacher trains one modality alone, without a --method. Leave out one of them.', {
      option: 'teacher',
      value: teacher,
      accepted: '--teacher or --method',
    });
  }
  return {
    ...(method !== undefined && { method }),
    ...(teacher !== undefined && {
      modalities: [teacher],
      method: 'joint',
      methodOptions: {},
      teachers: {},
      name: `teacher-${teacher}`,
    }),
    ...(data !== undefined && { 'dataset.root': data }),
    ...(rest['allow-changed'] && { allowChanged: true }),
    ...(seed !== undefined && { seed: numberOr(seed) }),
    ...(epochs !== undefined && { epochs: numberOr(epochs) }),
    ...parseSettings(set),
  };
}

/** What is no number is left for the configuration's own check. */
const numberOr = (text: string): unknown =>
  text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;

const nameOf = ({ name, method }: RunConfig): string =>
  (name ?? basename(method)).replaceAll(/[^\w.+-]+/g, '-');

/** The run folder that a configuration was recorded in. */
const folderOf = (path: string): string | undefined =>
  basename(path) === 'config.json' &&
  existsSync(path) &&
  new RunFolder(dirname(path)).config()?.['environment']
    ? dirname(path)
    : undefined;

/** A bar that appears when it is known how long it is; before, `say` is told. */
function lazyProgress(say: (line: string) => void): Progress & { readonly reporter: RunReporter } {
  let bar: Progress | undefined;
  let label = '';
  const note = (line: string): void => {
    if (bar) bar.note(line);
    else say(line);
  };
  return {
    stage: (name) => bar?.stage(name),
    advance: (steps) => bar?.advance(steps),
    note,
    stop: () => {
      bar?.stop();
      bar = undefined;
    },
    reporter: {
      begin: ({ total, done }) => {
        bar = createProgress(total);
        bar.advance(done);
        bar.stage('first epoch');
      },
      step: () => bar?.advance(1),
      epoch: ({ epoch, loss, validation }) => {
        const score =
          validation && Object.entries(validation).map(([name, value]) => `${name} ${formatNumber(value)}`);
        label = [
          `epoch ${epoch}`,
          `loss ${formatNumber(loss['total'] ?? NaN, 3)}`,
          ...(score ? [`validation ${score.join(', ')}`] : []),
        ].join(', ');
        bar?.stage(label);
      },
      note,
    },
  };
}
