import type { ConfidenceRun, ConfidenceRuns } from '@g2d/analysis';
import { OptionError } from '@g2d/core';
import type { LoadedRun } from '@g2d/runs';
import { evaluateOptions, evaluateSplit } from '@g2d/runs/internal';
import { datasetsOf, teachersOf, withRun, type FigureRun, type OpenOptions } from './figure-run.js';

type Confidence = ConfidenceRun['confidence'];

/**
 * Mean confidence of the heads of students and of their teachers, on the training split and on the test split, for Figure 6.
 *
 * @throws {OptionError} If the data are of a regression, or a seed has no teachers.
 */
export async function gatherConfidences(
  runs: readonly FigureRun[],
  options: OpenOptions,
): Promise<readonly ConfidenceRuns[]> {
  const found: ConfidenceRuns[] = [];
  for (const dataset of datasetsOf(runs)) {
    const own = runs.filter((run) => run.dataset === dataset);
    let modalities: readonly string[] = [];
    const gathered: ConfidenceRun[] = [];
    for (const { method, seed, folder } of own) {
      options.stage(`${dataset}, seed ${seed}, ${method}: confidences`);
      const confidence = await withRun(folder, options, (run) => {
        modalities = run.model.modalities;
        return confidenceOf(run);
      });
      gathered.push({ method, seed, confidence });
    }
    for (const seed of new Set(own.map((run) => run.seed))) {
      options.stage(`${dataset}, seed ${seed}, teachers: confidences`);
      const parts: Confidence[] = [];
      for (const folder of Object.values(teachersOf(own, { dataset, seed })))
        parts.push(await withRun(folder, options, confidenceOf));
      gathered.push({ method: 'teacher', seed, confidence: joined(parts) });
    }
    found.push({ dataset, modalities, runs: gathered });
  }
  return found;
}

/** In inference mode and without augmentation; what the run measured itself is not measured again. */
async function confidenceOf({ predict, data, config, folder }: LoadedRun): Promise<Confidence> {
  const measured = folder.summary()?.metrics['test'];
  const known = measured && confidences(measured);
  const options = evaluateOptions(config);
  const measure = async (split: 'train' | 'test') =>
    confidences((await evaluateSplit(predict, data[split], options)).metrics);
  const [train, test] = [await measure('train'), known ?? (await measure('test'))];
  if (train && test) return { train, test };
  throw new OptionError(
    `${data.train.name} is a regression, and Figure 6 is about the probability of the true class. Give runs of classes.`,
    { option: 'runs', value: folder.path, accepted: 'runs of a classification or a multi-label task' },
  );
}

/** By head; nothing where one of them has none. */
function confidences(
  metrics: Readonly<Record<string, object>>,
): Readonly<Record<string, number>> | undefined {
  const found = Object.entries(metrics).flatMap(([head, numbers]) => {
    const { confidence } = numbers as { readonly confidence?: number | null };
    return typeof confidence === 'number' ? [[head, confidence] as const] : [];
  });
  return found.length === Object.keys(metrics).length ? Object.fromEntries(found) : undefined;
}

const joined = (parts: readonly Confidence[]): Confidence => ({
  train: Object.assign({}, ...parts.map(({ train }) => train)) as Record<string, number>,
  test: Object.assign({}, ...parts.map(({ test }) => test)) as Record<string, number>,
});
