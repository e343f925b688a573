import type { GapRun, GapRuns } from '@g2d/analysis';
import { OptionError } from '@g2d/core';
import { rowsOf, someIds, testSamples, type Rows, type Space } from './features.js';
import { datasetsOf, withRun, type FigureRun, type OpenOptions } from './figure-run.js';

/** More points make one blot. */
const MOST_SAMPLES = 2000;

/**
 * Features of two modalities for Figure 4: after training and with the initial weights.
 *
 * @param space Where rows lie. Default: features, and logits where the two modalities' features are not equally wide.
 * @throws {OptionError} If students have other than two modalities, or their features are not equally wide and `space` asks for them.
 */
export async function gatherGaps(
  runs: readonly FigureRun[],
  space: Space | undefined,
  options: OpenOptions,
): Promise<readonly GapRuns[]> {
  const found: GapRuns[] = [];
  for (const dataset of datasetsOf(runs)) {
    const own = runs.filter((run) => run.dataset === dataset);
    const first = own[0] as FigureRun;
    const known = await withRun(first.folder, options, async (run) => {
      const ids = someIds(run.data.test.ids, MOST_SAMPLES);
      const [one, other, ...rest] = run.model.modalities;
      if (one === undefined || other === undefined || rest.length > 0) {
        throw new OptionError(
          `Figure 4 compares two modalities, and the runs on ${dataset} have ${run.model.modalities.join(', ')}. Give runs of two of them.`,
          { option: 'runs', value: run.model.modalities, accepted: 'two modalities' },
        );
      }
      const rows = await rowsOf(run, testSamples(run, ids.slice(0, 1)), 'features');
      const widths = [one, other].map((modality) => rows[modality]?.[0]?.length);
      return { ids, modalities: [one, other] as const, widths };
    });
    const isOneSpace = known.widths[0] === known.widths[1];
    if (!isOneSpace && space === 'features') {
      throw new OptionError(
        `The features of ${known.modalities.join(' and ')} on ${dataset} are ${known.widths.join(' and ')} wide: they have no distance. Take --space logits.`,
        { option: 'space', value: space, accepted: 'logits' },
      );
    }
    const taken = space ?? (isOneSpace ? 'features' : 'logits');
    if (space === undefined && !isOneSpace)
      options.note(
        `${dataset}: features of ${known.modalities.join(' and ')} are ${known.widths.join(' and ')} wide; Figure 4 has the logits of their heads.`,
      );
    const gathered: GapRun[] = [];
    for (const { method, seed, folder } of own) {
      options.stage(`${dataset}, seed ${seed}, ${method}: features`);
      const rows = (checkpoint?: 'initial'): Promise<Rows> =>
        withRun(folder, options, (run) => rowsOf(run, testSamples(run, known.ids), taken), checkpoint);
      gathered.push({ method, seed, features: await rows(), initial: await rows('initial') });
    }
    found.push({ dataset, modalities: known.modalities, ids: known.ids, space: taken, runs: gathered });
  }
  return found;
}
