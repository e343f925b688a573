import { existsSync, rmdirSync } from 'node:fs';
import {
  G2DError,
  OptionError,
  type EpochRecord,
  type MultimodalDataset,
  type NamedArray,
  type OptimizerSettings,
} from '@g2d/core';
import { linearProbe, modalityPrioritization } from '@g2d/methods';
import { predictorAt, train, type Predictor, type SplitMetrics, type TrainingState } from '@g2d/trainer';
import { Stages } from '@g2d/trainer/internal';
import { epochLabel, type CheckpointLabel } from './node/checkpoints/checkpoint.js';
import { readCheckpoint } from './node/checkpoints/read-checkpoint.js';
import { writeCheckpoint } from './node/checkpoints/write-checkpoint.js';
import { openEventFile } from '@g2d/formats/node';
import { RunFolder, type RunSummary } from './node/run-folder.js';
import { lockRun } from './node/run-lock.js';
import { batchCount } from './batch-count.js';
import { methodNames, methodWords, usedMethodOptions, type MethodWords } from './build-methods.js';
import { fromCheckpoint, toCheckpoint, type RunProgress } from './checkpoint-state.js';
import type { RunConfig } from './config-schema.js';
import { defined } from './defined.js';
import { describeEnvironment } from './environment.js';
import { evaluateOptions, evaluateSplit, selectionScore } from './evaluate-split.js';
import { finishRun } from './finish-run.js';
import { loadInitialWeights } from './initial-weights.js';
import { once } from './once.js';
import { openRun, type OpenedRun } from './open-run.js';
import { settlePrecision } from './precision.js';
import { firstDifference, parseConfig } from './read-config.js';
import { copyTeachers } from './teachers.js';
import { stageClock } from './stage-clock.js';
import { trainingOptions } from './training-options.js';
import { writeScalars } from './write-scalars.js';

/** Who wants to know how far a run is. */
export interface RunReporter {
  /** The training begins, or goes on after `done` of `total` steps. */
  begin(progress: { readonly total: number; readonly done: number }): void;
  /** One more step is done. */
  step(): void;
  /** An epoch is done, and evaluated. */
  epoch(record: EpochRecord): void;
  /** Something to tell the user. */
  note(line: string): void;
}

/** What `trainRun` works with beside the configuration. */
export interface TrainRunOptions {
  /** The run's folder. */
  readonly out: string;
  /** Go on with the run in `out`, from its last checkpoint; without one it begins. Default false: `out` must be free. */
  readonly resume?: boolean;
  /** Finish the step, save, and return. */
  readonly signal?: AbortSignal;
  readonly reporter?: RunReporter;
}

/** How a run ended. */
export type RunOutcome =
  | { readonly status: 'finished'; readonly folder: RunFolder; readonly summary: RunSummary }
  | { readonly status: 'interrupted'; readonly folder: RunFolder; readonly epoch: number };

/**
 * Trains what a configuration describes, into a run folder that survives anything: `config.json`, `metrics.jsonl`, `tensorboard/`,
 * `checkpoints/`, at last `predictions.json` and `summary.json`.
 *
 * A run that is killed at any moment goes on from its last checkpoint with `resume`, and ends with the same weights and metrics, bit for
 * bit, as one that was never stopped (same backend, same machine). Choose a backend before the call (`loadTensorFlow`).
 *
 * @throws {OptionError} If the configuration cannot be run, the folder is not free, or `resume` has other settings than the run began with.
 * @throws {G2DError} `G2D_RUN_IN_USE` if another process trains in the folder, `G2D_RUN_FOLDER` if it cannot be written, `G2D_DIVERGED` if
 * the loss or a weight stops being finite. What was saved stays in all cases.
 * @example
 * await loadTensorFlow();
 * const outcome = await trainRun(readConfig('examples/av-mnist-small/small.json'), { out: 'runs/joint' });
 */
export async function trainRun(
  wanted: RunConfig,
  { out, resume = false, signal, reporter = SILENT }: TrainRunOptions,
): Promise<RunOutcome> {
  const folder = new RunFolder(out);
  folder.assertUsable();
  const isNew = !existsSync(out);
  const release = lockRun(out);
  try {
    const config = settlePrecision(wanted, {
      begun: resume ? recordedConfig(folder) : undefined,
      // A finished run is not trained again.
      trains: !folder.summary(),
      note: (line) => reporter.note(line),
    });
    const place = findPlace(folder, config, resume);
    if (place.finished) return { status: 'finished', folder, summary: place.finished };
    for (const warning of place.warnings) reporter.note(warning);
    const run = await openRun(config, { folder, copies: place.state !== undefined });
    try {
      if (!place.state) begin(folder, config, { run, words: await methodWords(config.method) });
      for (const remark of remarks(config)) reporter.note(remark);
      return await trainOpened(config, { run, folder, state: place.state, signal, reporter });
    } finally {
      await run.close();
    }
  } finally {
    release();
    if (isNew) removeIfEmpty(out);
  }
}

const SILENT: RunReporter = { begin: () => {}, step: () => {}, epoch: () => {}, note: () => {} };

/** Where a run begins or goes on. */
interface Place {
  readonly finished?: RunSummary;
  readonly state?: TrainingState & RunProgress;
  readonly warnings: readonly string[];
}

/** What the run in a folder began with. */
function recordedConfig(folder: RunFolder): RunConfig | undefined {
  const recorded = folder.config();
  return recorded && parseConfig(recorded, { where: `${folder.path}/config.json` });
}

function findPlace(folder: RunFolder, config: RunConfig, resume: boolean): Place {
  const { path } = folder;
  const recorded = folder.config();
  if (!recorded) return { warnings: [] };
  const finished = folder.summary();
  const last = finished ? undefined : readCheckpoint(folder.checkpoints, 'last');
  // A run that was not saved once has nothing to lose: it begins anew, with whatever settings.
  if (!finished && !last) return { warnings: [] };
  if (!resume) {
    throw new OptionError(
      finished
        ? `${path} holds a finished run. Give another folder with --out, or delete it.`
        : `${path} holds a run that is not finished. Go on with it (--resume), or give another folder with --out.`,
      { option: 'out', value: path, accepted: 'a new or empty folder' },
    );
  }
  const begun = parseConfig(recorded, { where: `${path}/config.json` });
  // Without a list of modalities they follow from the encoders, which are compared; their order is the dataset's.
  const isSame = !config.modalities || sameNames(config.modalities, begun.modalities ?? []);
  const modalities = isSame ? begun.modalities : config.modalities;
  const other = firstDifference(begun, { ...asRecorded(config), modalities });
  if (other) {
    throw new OptionError(
      `The run in ${path} began with "${other.key}" ${JSON.stringify(other.begun) ?? 'not set'}, but now it is ${JSON.stringify(other.now) ?? 'not set'}. A run goes on with the settings that it began with; for others begin a new one with --out.`,
      { option: other.key, value: other.now, accepted: JSON.stringify(other.begun) ?? 'not set' },
    );
  }
  if (finished || !last) return { ...(finished && { finished }), warnings: [] };
  const { backend } = describeEnvironment();
  const before = recorded.environment?.backend;
  const warnings =
    before === backend
      ? last.warnings
      : [
          ...last.warnings,
          `The run began on the backend ${before}, and goes on on ${backend}: its numbers will not be those of one backend.`,
        ];
  return { state: fromCheckpoint(last), warnings };
}

const sameNames = (a: readonly string[], b: readonly string[]): boolean =>
  [...new Set(a)].sort().join() === [...new Set(b)].sort().join();

/** With its name, and of the methods' options only those that are used. */
const asRecorded = (config: RunConfig): RunConfig => ({
  ...config,
  name: config.name ?? config.method,
  methodOptions: usedMethodOptions(config),
});

/** What can be meant, but hardly is. */
function remarks(config: RunConfig): string[] {
  const names = methodNames(config.method);
  const smp = config.methodOptions[modalityPrioritization.name] as { phaseEpochs?: number[] } | undefined;
  const before = (smp?.phaseEpochs ?? []).slice(0, -1).reduce((sum, phase) => sum + phase, 0);
  const never = names.includes(modalityPrioritization.name) && before >= config.epochs;
  const random =
    names.includes(linearProbe.name) && !Object.values(config.encoders).some(({ weights }) => weights);
  return [
    ...(never
      ? [
          `The joint phase of SMP begins after epoch ${before}, and the run has ${config.epochs}: it is never reached.`,
        ]
      : []),
    ...(random
      ? [
          'The linear probe is on encoders with random weights: give "encoders.<modality>.weights", for example a run folder.',
        ]
      : []),
  ];
}

function begin(
  folder: RunFolder,
  config: RunConfig,
  { run, words }: { readonly run: OpenedRun; readonly words: MethodWords },
): void {
  loadInitialWeights(run, config);
  folder.clear();
  const { facts } = run;
  const modalities = Object.keys(facts.shapes);
  folder.begin(
    { ...asRecorded(config), modalities },
    {
      kind: modalities.length > 1 ? 'student' : 'teacher',
      model: facts,
      environment: describeEnvironment(),
      components: {
        method: [{ name: config.method, ...words }],
        ...run.components,
        ...run.data.components,
      },
    },
  );
  if (run.needsTeachers) copyTeachers(run.teachersOf(), folder);
}

function removeIfEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // It holds a run.
  }
}

interface Opened {
  readonly run: OpenedRun;
  readonly folder: RunFolder;
  readonly state: (TrainingState & RunProgress) | undefined;
  readonly signal: AbortSignal | undefined;
  readonly reporter: RunReporter;
}

async function trainOpened(config: RunConfig, opened: Opened): Promise<RunOutcome> {
  const { run, folder, state, signal, reporter } = opened;
  const { modalities } = run.model;
  const optimizer = defined(config.optimizer) as OptimizerSettings;
  const { epochs } = new Stages({ ...config, methods: run.methods, modalities, optimizer });
  const batchesPerEpoch = batchCount(run.data.train.size, config);
  const position = state?.position ?? { epoch: 1, batch: 0 };
  if (config.teacherOutputs === 'stored' && run.needsTeachers) {
    reporter.note('The outputs of the teachers are computed and stored, where they are not yet.');
    await run.startTeachers();
  }
  reporter.begin({
    total: epochs * batchesPerEpoch,
    done: Math.min((position.epoch - 1) * batchesPerEpoch + position.batch, epochs * batchesPerEpoch),
  });
  folder.forgetFrom(position.epoch);

  const events = openEventFile(folder.tensorboard, { fromStep: position.epoch });
  const clock = stageClock(state?.stages);
  let best = state?.best ?? null;
  let reached = position.epoch;
  let saved = performance.now();
  const save = (label: CheckpointLabel, captured: TrainingState): void =>
    clock.time('checkpoints', () => {
      const { epoch, batch } = captured.position;
      assertFinite(captured.snapshot.model, batch === 0 ? epoch - 1 : epoch);
      writeCheckpoint(folder.checkpoints, label, toCheckpoint(captured, { best, stages: clock.seconds() }));
    });
  const stopIfAsked = (): 'stop' | undefined => (signal?.aborted ? 'stop' : undefined);

  try {
    const options = await clock.timeAsync('training', () => trainingOptions(config, run, reporter.note));
    const { status, predict } = await clock.timeAsync('training', () =>
      train({
        ...options,
        ...(state && { resume: state }),
        evaluate: async (epoch, predictor) =>
          isDue(epoch, config.evaluation.every, epochs)
            ? clock.timeAsync('evaluation', () => evaluateSplits(config, run, predictor))
            : undefined,
        afterStep: (capture) => {
          reporter.step();
          const late = performance.now() - saved > 60_000 * config.checkpoints.minutes;
          if (late || stopIfAsked()) {
            save('last', capture());
            saved = performance.now();
          }
          return stopIfAsked();
        },
        onEpoch: (record, capture, evaluated) => {
          const { epoch } = record;
          reached = epoch + 1;
          folder.append(record);
          writeScalars(events, record);
          const captured = once(capture);
          const score = scoreOf(record, config);
          if (score !== undefined && !(best && score < best.score)) {
            best = { epoch, score };
            // The weights that were scored: a method may have put others in their place since.
            const { snapshot, ...rest } = captured();
            save('best', { ...rest, snapshot: { ...snapshot, model: evaluated() } });
          }
          const { every, keepEvery } = config.checkpoints;
          const isKept = keepEvery !== undefined && epoch % keepEvery === 0;
          if (isKept) save(epochLabel(epoch), captured());
          // Never behind the others: a run goes on from it.
          const isBest = best?.epoch === epoch;
          if (isBest || isKept || isDue(epoch, every, epochs) || record.stopped || stopIfAsked()) {
            save('last', captured());
            saved = performance.now();
          }
          reporter.epoch(record);
          // After the last epoch there is nothing to stop.
          return epoch < epochs ? stopIfAsked() : undefined;
        },
      }),
    );
    if (status === 'stopped' && reached <= epochs) return { status: 'interrupted', folder, epoch: reached };
    const bestEpoch = best?.epoch;
    const summary = await finishRun(config, {
      run,
      folder,
      predict,
      predictorAt: (saved) => predictorAt({ ...options, resume: saved }),
      bestEpoch,
      clock,
    });
    return { status: 'finished', folder, summary };
  } finally {
    events.close();
  }
}

/** Whether something that happens every so many epochs, and after the last, happens after this one. */
const isDue = (epoch: number, every: number, epochs: number): boolean =>
  epoch % every === 0 || epoch === epochs;

/** The splits that are evaluated during training: those that were asked for, and the one that selects. */
async function evaluateSplits(
  config: RunConfig,
  { data }: OpenedRun,
  predict: Predictor<string>,
): Promise<Partial<Record<'validation' | 'test', SplitMetrics>>> {
  const { select, evaluation } = config;
  const metrics: Partial<Record<'validation' | 'test', SplitMetrics>> = {};
  for (const split of ['validation', 'test'] as const) {
    const dataset: MultimodalDataset<string> | undefined = data[split];
    if (!dataset || !(evaluation.splits.includes(split) || select === `${split}-best`)) continue;
    metrics[split] = (await evaluateSplit(predict, dataset, evaluateOptions(config))).metrics;
  }
  return metrics;
}

/** By what epochs are compared for the checkpoint `best`. */
function scoreOf({ metrics }: EpochRecord, { select }: RunConfig): number | undefined {
  const split = metrics?.[select === 'test-best' ? 'test' : 'validation'];
  return split && selectionScore(split as SplitMetrics);
}

/** @throws {G2DError} With code `G2D_DIVERGED` if a weight is not finite: the last good checkpoint stays. */
function assertFinite(weights: Readonly<Record<string, NamedArray>>, epoch: number): void {
  for (const [name, { values }] of Object.entries(weights)) {
    const broken = values.find((value) => !Number.isFinite(value));
    if (broken === undefined) continue;
    throw new G2DError(
      'G2D_DIVERGED',
      `The variable "${name}" holds ${broken} in epoch ${epoch}. Nothing of this is saved; the last good checkpoint stays. Lower the learning rate, or look for samples that are not finite.`,
      { variable: name, epoch },
    );
  }
}
