import type { Predictor, SplitMetrics, TrainingState } from '@g2d/trainer';
import { mapValues } from '@g2d/trainer/internal';
import type { Checkpoint } from './node/checkpoints/checkpoint.js';
import { readBest } from './read-best.js';
import { readCheckpoint } from './node/checkpoints/read-checkpoint.js';
import type { RunSummary } from './node/run-folder.js';
import { fromCheckpoint } from './checkpoint-state.js';
import { evaluateOptions, evaluateSplit, type SplitEvaluation } from './evaluate-split.js';
import type { OpenedRun } from './open-run.js';
import { fromFirst } from './processes/processes.js';
import type { StageClock } from './stage-clock.js';

interface Trained {
  /** What the last state predicts with. */
  readonly predict: Predictor<string>;
  /** What a saved state predicts with, from then on. */
  readonly predictorAt: (state: TrainingState) => Promise<Predictor<string>>;
  /** The last epoch that was trained. */
  readonly lastEpoch: number;
  /** The epoch of the checkpoint `best`, if there is one. */
  readonly bestEpoch: number | undefined;
  readonly clock: StageClock;
  readonly note: (line: string) => void;
}

/** Evaluates the epoch that the run selects, and writes predictions and summary: the run is finished. */
export async function finishRun(
  { plan: { config }, folder, data, facts, processes }: OpenedRun,
  { predict: predictLast, predictorAt, lastEpoch, bestEpoch, clock, note }: Trained,
): Promise<RunSummary> {
  const best = await fromFirst(processes, () =>
    config.select === 'last' ? undefined : readBest(folder.checkpoints),
  );
  // It may be of another branch, where a resumed run did not repeat itself bit for bit.
  const bestState = best?.epoch === bestEpoch ? best?.state : undefined;
  if (best && bestEpoch !== undefined && !bestState) {
    note(
      `The weights of epoch ${bestEpoch}, the best, are not there: the results are of the last epoch. ${best.problems.join(' ')}`.trim(),
    );
  }
  const checkpoint = config.epochs === 0 ? null : bestState ? 'best' : 'last';
  // The last one was saved after the last epoch.
  const lastState = (): Promise<TrainingState> =>
    fromFirst(processes, () => fromCheckpoint(readCheckpoint(folder.checkpoints, 'last') as Checkpoint));
  const predict = checkpoint === null ? predictLast : await predictorAt(bestState ?? (await lastState()));
  const options = evaluateOptions(config, processes);
  const evaluateAll = async (): Promise<{
    test: SplitEvaluation;
    validation: SplitEvaluation | undefined;
  }> => ({
    validation: data.validation && (await evaluateSplit(predict, data.validation, options)),
    test: await evaluateSplit(predict, data.test, { ...options, withProbabilities: true }),
  });
  const { test, validation } = await clock.timeAsync('evaluation', evaluateAll);
  return fromFirst(processes, () => {
    const stages = clock.seconds();
    const modalities = Object.keys(facts.shapes);
    // Its record may be missing.
    const record = folder.lastRecord();
    const last = record?.epoch === lastEpoch ? record : undefined;
    const passes = folder.passes(lastEpoch);
    const summary: RunSummary = {
      name: config.name ?? config.method,
      method: config.method,
      kind: modalities.length > 1 ? 'student' : 'teacher',
      modalities,
      dataset: data.train.name,
      task: facts.task,
      seed: config.seed,
      epochs: config.epochs,
      select: config.select,
      selectedEpoch: bestState && bestEpoch !== undefined ? bestEpoch : lastEpoch,
      checkpoint,
      seconds: Object.values(stages).reduce((sum, seconds) => sum + seconds, 0),
      stages,
      ...(passes && { passes }),
      ...(validation && { validation: validation.scores }),
      test: test.scores,
      metrics: {
        ...(validation && { validation: numbersOf(validation.metrics) }),
        test: numbersOf(test.metrics),
      },
      ...(Object.keys(data.masks).length > 0 && { missing: mapValues(data.masks, ({ share }) => share) }),
      ...(test.perClass && { perClass: test.perClass }),
      ...(test.confusion && { confusion: test.confusion }),
      last: {
        epoch: lastEpoch,
        ...(last?.validation && { validation: last.validation }),
        ...(last?.test && { test: last.test }),
      },
    };
    folder.finish(summary, test.predictions);
    return summary;
  });
}

const numbersOf = (metrics: SplitMetrics): RunSummary['metrics'][string] =>
  Object.fromEntries(Object.entries(metrics).map(([head, found]) => [head, { ...found }]));
