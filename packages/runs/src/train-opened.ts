import { G2DError, type NamedArray } from '@g2d/core';
import { openEventFile } from '@g2d/formats/node';
import { predictorAt, train, type TrainingState } from '@g2d/trainer';
import { Stages } from '@g2d/trainer/internal';
import { toCheckpoint, type RunProgress } from './checkpoint-state.js';
import { evaluateSplits, scoreOf } from './evaluate-split.js';
import { finishRun } from './finish-run.js';
import { digestOf } from './identity.js';
import { epochLabel, type CheckpointLabel } from './node/checkpoints/checkpoint.js';
import { writeCheckpoint } from './node/checkpoints/write-checkpoint.js';
import type { RunFolder, RunSummary } from './node/run-folder.js';
import { STOP_NAMES, type StopName } from './node/stop-signal.js';
import { once } from './once.js';
import type { OpenedRun } from './open-run.js';
import { assertSameWeights } from './processes/drift.js';
import { inTurn, isFirstOf } from './processes/processes.js';
import type { RunReporter } from './run-reporter.js';
import { stageClock } from './stage-clock.js';
import { trainingOptions } from './training-options.js';
import { writeScalars } from './write-scalars.js';

/** How a run ended. */
export type RunOutcome =
  | { readonly status: 'finished'; readonly folder: RunFolder; readonly summary: RunSummary }
  | {
      readonly status: 'interrupted';
      readonly folder: RunFolder;
      readonly epoch: number;
      /** The reason of the `AbortSignal`, where it is a system's signal: of whichever process was asked to stop. */
      readonly by?: StopName;
    };

interface Going {
  /** The state that it goes on from. */
  readonly state: (TrainingState & RunProgress) | undefined;
  readonly signal: AbortSignal | undefined;
  readonly reporter: RunReporter;
}

const skippedNote = (epoch: number, count: number): string =>
  `Epoch ${epoch}: ${count} ${count === 1 ? 'batch was' : 'batches were'} left out, in which one sample alone had a modality: batch normalization needs two.`;

/** Trains a run to its end, or until it is asked to stop; what it has learned is saved on the way. */
export async function trainOpened(run: OpenedRun, { state, signal, reporter }: Going): Promise<RunOutcome> {
  const { plan, folder, processes } = run;
  // The others know what it writes.
  const isFirst = isFirstOf(processes);
  const { config, methods } = plan;
  const data = digestOf(run.identity.data);
  const { settings } = folder.config()?.identity ?? {};
  const clock = stageClock(state?.stages);
  if (plan.needsTeachers && config.teacherOutputs === 'stored') {
    reporter.note('The outputs of the teachers are computed and stored, where they are not yet.');
  }
  const options = await clock.timeAsync('training', () =>
    inTurn(processes, () => trainingOptions(run, { note: reporter.note })),
  );
  const { batchesPerEpoch, optimizer } = options;
  const { epochs } = new Stages({ ...config, methods, modalities: run.model.modalities, optimizer });
  const position = state?.position ?? { epoch: 1, batch: 0 };
  const stepsOf = (batches: number): number => Math.ceil(batches / config.accumulate);
  const total = epochs * stepsOf(batchesPerEpoch);
  const done = (position.epoch - 1) * stepsOf(batchesPerEpoch) + stepsOf(position.batch);
  reporter.begin({ total, done: Math.min(done, total) });
  const missing = isFirst ? folder.forgetFrom(position.epoch) : 0;
  if (missing > 0) {
    reporter.note(
      `metrics.jsonl has no record of ${missing} of the ${position.epoch - 1} epochs that are done: curves and tables lack them.`,
    );
  }

  const events = isFirst ? openEventFile(folder.tensorboard, { fromStep: position.epoch }) : undefined;
  let best = state?.best ?? null;
  let reached = position.epoch;
  let lastEpoch = folder.endedEarly(position) ?? position.epoch - 1;
  let saved = performance.now();
  const save = (label: CheckpointLabel, captured: TrainingState): void =>
    clock.time('checkpoints', () => {
      const { epoch, batch } = captured.position;
      assertFinite(captured.snapshot.model, batch === 0 ? epoch - 1 : epoch);
      if (!isFirst) return;
      writeCheckpoint(
        folder.checkpoints,
        label,
        toCheckpoint(captured, { best, stages: clock.seconds(), data, settings }),
      );
    });
  let stoppedBy: StopName | undefined;
  /** Whether it is time to save, by the first one's clock, and whether this process was asked to stop. */
  const flags = (): readonly number[] => [
    isFirst && performance.now() - saved > 60_000 * config.checkpoints.minutes ? 1 : 0,
    signal?.aborted ? 1 : 0,
    ...STOP_NAMES.map((name) => (signal?.aborted && signal.reason === name ? 1 : 0)),
  ];
  /** What all processes do, by the sums of their flags: save, and stop if one of them was asked to. */
  const due = ([late, stop, ...named]: readonly number[]): {
    readonly late: boolean;
    readonly stop: boolean;
  } => {
    stoppedBy = STOP_NAMES.find((_, i) => named[i] !== 0);
    return { late: late !== 0, stop: stop !== 0 };
  };

  try {
    const { status, predict } = await clock.timeAsync('training', () =>
      train({
        ...options,
        ...(state && { resume: state }),
        evaluate: async (epoch, predictor) =>
          isDue(epoch, config.evaluation.every, epochs)
            ? clock.timeAsync('evaluation', () => evaluateSplits(run, predictor))
            : undefined,
        // With the numbers of the step: a sum of its own would take as long as theirs.
        ...(processes && { ask: flags }),
        afterStep: (capture, sums) => {
          reporter.step();
          const { late, stop } = due(processes ? sums : flags());
          if (late || stop) {
            save('last', capture());
            saved = performance.now();
          }
          return stop ? 'stop' : undefined;
        },
        onEpoch: (record, capture, evaluated) => {
          const { epoch } = record;
          reached = epoch + 1;
          lastEpoch = epoch;
          const { stop } = due(summedFlags(processes, flags()));
          assertSameWeights(processes, run.model, epoch);
          if (isFirst) folder.append(record);
          if (record.skippedSteps) reporter.note(skippedNote(epoch, record.skippedSteps));
          if (events) writeScalars(events, record);
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
          if (isBest || isKept || isDue(epoch, every, epochs) || record.stopped || stop) {
            save('last', captured());
            saved = performance.now();
          }
          reporter.epoch(record);
          if (record.stoppedBy !== undefined)
            reporter.note(`Epoch ${epoch} is the last: ${record.stoppedBy} ended the run.`);
          // After the last epoch there is nothing to stop.
          return epoch < epochs && stop ? 'stop' : undefined;
        },
      }),
    );
    if (status === 'stopped' && reached <= epochs)
      return { status: 'interrupted', folder, epoch: reached, ...(stoppedBy && { by: stoppedBy }) };
    const bestEpoch = best?.epoch;
    const summary = await finishRun(run, {
      predict,
      predictorAt: (saved) => predictorAt({ ...options, resume: saved }),
      lastEpoch,
      bestEpoch,
      clock,
      note: reporter.note,
    });
    return { status: 'finished', folder, summary };
  } finally {
    events?.close();
  }
}

/** At the end of an epoch, with no step to send them along. */
function summedFlags(processes: OpenedRun['processes'], flags: readonly number[]): readonly number[] {
  const sums = Float64Array.from(flags);
  processes?.allReduce.sum(sums);
  return [...sums];
}

/** Whether something that happens every so many epochs, and after the last, happens after this one. */
const isDue = (epoch: number, every: number, epochs: number): boolean =>
  epoch % every === 0 || epoch === epochs;

/** A loop: `find` takes five times as long, seconds for a large network. */
function firstBroken(values: Float32Array): number | undefined {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!Number.isFinite(value)) return value;
  }
  return undefined;
}

/** @throws {G2DError} With code `G2D_DIVERGED` if a weight is not finite: the last good checkpoint stays. */
function assertFinite(weights: Readonly<Record<string, NamedArray>>, epoch: number): void {
  for (const [name, { values }] of Object.entries(weights)) {
    const broken = firstBroken(values);
    if (broken === undefined) continue;
    throw new G2DError(
      'G2D_DIVERGED',
      `The variable "${name}" holds ${broken} in epoch ${epoch}. Nothing of this is saved; the last good checkpoint stays. Lower the learning rate, or look for samples that are not finite.`,
      { variable: name, epoch },
    );
  }
}
