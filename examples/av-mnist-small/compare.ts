// `npm run compare`: two teachers and six methods for several seeds, each a run of `g2d train`; `g2d compare` makes one table of them.
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { loadTensorFlow } from '@g2d/native';
import { G2DError, OptionError } from '@g2d/core';
import { createProgress, readConfig, stopSignal, trainRun, type Progress } from '@g2d/runs';

export const HELP = `Trains two teachers and every method of the comparison on the small AV-MNIST, for several seeds.

Usage: npm run compare -- [options]

  --seeds LIST   seeds (default 0,1,2)
  --epochs N     epochs of each training (default 60, as in small.json)
  --out DIR      where the run folders go (default runs/av-mnist-methods)
  --help         this text

What is finished is not trained again, and an interrupted run goes on, when the same command is given once more.
`;

export interface CompareSettings {
  readonly seeds: readonly number[];
  readonly epochs: number;
  readonly out: string;
}

/** From the weakest to the strongest, as expected; UME is the mean of the teachers, without a training. */
export const METHODS = ['joint', 'umt', 'ogm-ge', 'g2d-loss', 'smp', 'g2d', 'ume'] as const;

const CONFIG = join(import.meta.dirname, 'small.json');

/** One run: its folder, and what it changes in `small.json`. */
export interface PlannedRun {
  readonly out: string;
  readonly changes: Readonly<Record<string, unknown>>;
}

/**
 * Reads the command line.
 *
 * @throws {OptionError} If a value is impossible.
 */
export function parseCompare(args: readonly string[]): CompareSettings & { readonly help: boolean } {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '0,1,2' },
      epochs: { type: 'string', default: '60' },
      out: { type: 'string', default: 'runs/av-mnist-methods' },
      help: { type: 'boolean', default: false },
    },
  });
  const whole = (option: string, text: string, least: number): number => {
    if (/^\d+$/.test(text) && Number(text) >= least) return Number(text);
    const accepted = `whole numbers of at least ${least}`;
    throw new OptionError(`--${option} is "${text}"; it takes ${accepted}.`, {
      option,
      value: text,
      accepted,
    });
  };
  return {
    seeds: values.seeds.split(',').map((seed) => whole('seeds', seed, 0)),
    epochs: whole('epochs', values.epochs, 2),
    out: values.out,
    help: values.help,
  };
}

/** All runs in the order in which they can be trained: a seed's teachers before its students. */
export function plannedRuns({ seeds, epochs, out }: CompareSettings): readonly PlannedRun[] {
  const firstPhase = Math.floor(epochs / 2);
  return seeds.flatMap((seed) => {
    const folder = (name: string): string => join(out, `seed-${seed}`, name);
    const common = {
      seed,
      epochs,
      'methodOptions.smp.phaseEpochs': [firstPhase, epochs - firstPhase],
      'optimizer.schedule.after': [Math.max(1, Math.floor(0.7 * epochs))],
    };
    const teachers = ['audio', 'image'].map((modality) => ({
      out: folder(`teacher-${modality}`),
      changes: {
        ...common,
        name: `teacher-${modality}`,
        method: 'joint',
        modalities: [modality],
        teachers: {},
        // The best of every sixth part of the epochs, as in the main job.
        select: 'validation-best',
        'evaluation.every': Math.max(1, Math.round(epochs / 6)),
      },
    }));
    const students = METHODS.map((method) => ({
      out: folder(method),
      changes: {
        ...common,
        method,
        teachers: { audio: folder('teacher-audio'), image: folder('teacher-image') },
        ...(method === 'ume' && { epochs: 0 }),
      },
    }));
    return [...teachers, ...students];
  });
}

/** Trains what is not finished. Ends early, and says so with `false`, if the signal asks for it. */
async function trainAll(
  runs: readonly PlannedRun[],
  { progress, signal }: { readonly progress: Progress; readonly signal: AbortSignal },
): Promise<boolean> {
  for (const { out, changes } of runs) {
    progress.stage(relative('.', out));
    const config = readConfig(CONFIG, changes);
    let shown = 0;
    const show = (epoch: number): void => {
      progress.advance(epoch - shown);
      shown = epoch;
    };
    const { status } = await trainRun(config, {
      out,
      resume: true,
      signal,
      reporter: {
        begin: ({ total, done }) => show(Math.floor((config.epochs * done) / Math.max(1, total))),
        step: () => {},
        epoch: ({ epoch }) => show(epoch),
        note: (line) => progress.note(line),
      },
    });
    if (status === 'interrupted') return false;
    show(config.epochs);
  }
  return true;
}

async function main(): Promise<void> {
  const settings = parseCompare(process.argv.slice(2));
  if (settings.help) {
    process.stdout.write(HELP);
    return;
  }
  await loadTensorFlow();
  const runs = plannedRuns(settings);
  const progress = createProgress(
    settings.epochs * runs.filter(({ changes }) => changes['epochs'] !== 0).length,
  );
  const { signal, dispose } = stopSignal((line) => progress.note(line));
  try {
    const finished = await trainAll(runs, { progress, signal });
    progress.stop();
    if (!finished) {
      console.error('Interrupted; everything is saved. The same command goes on.');
      process.exitCode = 130;
      return;
    }
    console.log(`npx g2d compare ${settings.out}/* --out ${settings.out}/compare.html`);
  } finally {
    progress.stop();
    dispose();
  }
}

if (process.argv[1] === import.meta.filename) {
  try {
    await main();
  } catch (error) {
    if (!G2DError.isInstance(error)) throw error;
    console.error(`g2d: ${error.message}`);
    process.exitCode = 2;
  }
}
