import type { FeatureRows } from '@g2d/analysis';
import { OptionError, type MultimodalDataset } from '@g2d/core';
import type { LoadedRun } from '@g2d/runs';
import { evaluateOptions, samplesOf } from '@g2d/runs/internal';
import { deriveSeed, randomStream } from '@g2d/tensor-ops';
import { evaluate, evaluateMultiLabel, extractFeatures } from '@g2d/trainer';

/** Where Figure 4's rows can lie. */
export const SPACES = ['features', 'logits'] as const;

/** One of them. */
export type Space = (typeof SPACES)[number];

/** Rows by modality. */
export type Rows = Readonly<Record<string, FeatureRows>>;

/** Of every sample that has the modality: its features f_m, or the logits u_m of its head. */
export async function rowsOf(
  run: LoadedRun,
  dataset: MultimodalDataset<string>,
  space: Space,
): Promise<Rows> {
  const { output: _, ...options } = evaluateOptions(run.config);
  if (space === 'features') return extractFeatures(run.model, dataset, options);
  if (dataset.task === 'regression') {
    throw new OptionError(
      `${dataset.name} is a regression: a head has one number, and no space. Take --space features.`,
      { option: 'space', value: space, accepted: 'features' },
    );
  }
  const measure = dataset.task === 'multi-label' ? evaluateMultiLabel : evaluate;
  const { logits } = await measure(run.predict, dataset, options);
  const { fused: _fused, ...own } = logits;
  return own;
}

/** So many of a dataset's ids, in its order: all, or a draw that depends on their number alone. */
export function someIds(ids: readonly string[], most: number): readonly string[] {
  if (ids.length <= most) return ids;
  const places = randomStream(deriveSeed(0, 'figure-4')).permutation(ids.length).slice(0, most);
  return [...places].sort((a, b) => a - b).map((place) => ids[place] as string);
}

/**
 * These samples of a run's test split.
 *
 * @throws {OptionError} If it lacks one of them: the runs are not of the same data.
 */
export function testSamples({ data, folder }: LoadedRun, ids: readonly string[]): MultimodalDataset<string> {
  const found = samplesOf(data.test, ids);
  if (found.size === ids.length) return found;
  throw new OptionError(
    `The test split of ${folder.path} has ${found.size} of the ${ids.length} samples of the other runs. Compare runs of the same data.`,
    { option: 'runs', value: found.size, accepted: 'runs of the same test split' },
  );
}
