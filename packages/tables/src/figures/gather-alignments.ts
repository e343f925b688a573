import { readdirSync } from 'node:fs';
import { alignmentBaseline, featureAlignment, type AlignmentRun, type AlignmentRuns } from '@g2d/analysis';
import { OptionError, type MultimodalDataset } from '@g2d/core';
import { isFolder } from '@g2d/formats/node';
import { RunFolder, type CheckpointLabel } from '@g2d/runs';
import { rowsOf, type Rows } from './features.js';
import { datasetsOf, teachersOf, withRun, type FigureRun, type OpenOptions } from './figure-run.js';

/**
 * How far students' features of the test split agree with their teachers', for Figure 5: at the selected epoch, and at the epochs whose
 * checkpoints were kept.
 *
 * @throws {OptionError} If the runs are of several datasets, or a seed has no teachers.
 */
export async function gatherAlignments(
  runs: readonly FigureRun[],
  options: OpenOptions,
): Promise<AlignmentRuns> {
  const [dataset = '', ...others] = datasetsOf(runs);
  if (others.length > 0) {
    throw new OptionError(
      `Figure 5 is of one dataset, and the runs are of ${[dataset, ...others].join(', ')}.`,
      {
        option: 'runs',
        value: others,
        accepted: 'runs of one dataset',
      },
    );
  }
  const taught = new Map<number, Rows>();
  let modalities: readonly string[] = [];
  const gathered: AlignmentRun[] = [];
  for (const { method, seed, folder } of runs) {
    options.stage(`${dataset}, seed ${seed}, ${method}: features`);
    for (const checkpoint of [undefined, ...keptCheckpoints(folder)]) {
      gathered.push(
        await withRun(
          folder,
          options,
          async (run) => {
            const { test } = run.data;
            modalities = run.model.modalities;
            const teachers =
              taught.get(seed) ?? (await teacherRows(teachersOf(runs, { dataset, seed }), test, options));
            taught.set(seed, teachers);
            const own = await rowsOf(run, test, 'features');
            const alignment = Object.fromEntries(
              modalities.map((modality) => {
                const [mine, theirs] = [own[modality] ?? [], teachers[modality] ?? []];
                return [
                  modality,
                  { value: featureAlignment(mine, theirs), baseline: alignmentBaseline(mine, theirs) },
                ];
              }),
            );
            return {
              method,
              seed,
              ...(checkpoint !== undefined && { epoch: Number(checkpoint.slice(6)) }),
              alignment,
            };
          },
          checkpoint,
        ),
      );
    }
  }
  return { dataset, modalities, runs: gathered };
}

/** What teachers make of a student's test split: each reads its own modality. */
async function teacherRows(
  folders: Readonly<Record<string, string>>,
  test: MultimodalDataset<string>,
  options: OpenOptions,
): Promise<Rows> {
  const rows: Record<string, Rows[string]> = {};
  for (const [modality, folder] of Object.entries(folders)) {
    const own = await withRun(folder, options, (teacher) => rowsOf(teacher, test, 'features'));
    rows[modality] = own[modality] ?? [];
  }
  return rows;
}

/** Of `checkpoints.keepEvery`, in the order of their epochs. */
function keptCheckpoints(folder: string): CheckpointLabel[] {
  const { checkpoints } = new RunFolder(folder);
  if (!isFolder(checkpoints)) return [];
  return readdirSync(checkpoints)
    .filter((name): name is `epoch-${string}` => /^epoch-\d{4,}$/.test(name))
    .sort((a, b) => Number(a.slice(6)) - Number(b.slice(6)));
}
