import type { Split } from '@g2d/core';
import type { RunIdentity } from '@g2d/core/run-folder';
import { writeFileAtomic } from '@g2d/formats/node';
import { describeEnvironment } from './environment.js';
import { settingsDigest } from './identity.js';
import { settledMissing } from './mask-settings.js';
import type { SplitMask } from './mask-split.js';
import { RunFolder } from './node/run-folder.js';
import type { OpenedRun } from './open-run.js';
import { checksumsOf, TEACHER_WEIGHTS, type Teachers } from './read-teachers.js';

/**
 * Records what a run is in its folder: it has begun.
 *
 * @returns Where what lay in the folder was moved, `undefined` if there was nothing.
 */
export function beginRun(run: OpenedRun): string | undefined {
  const { plan, folder, facts, teachers, processes } = run;
  const aside = folder.setAside();
  const modalities = Object.keys(facts.shapes);
  const missing = settledMissing(plan.config, run.data.train);
  const { data } = plan.config;
  const settings = { ...plan.config, modalities, data: { ...data, ...(missing && { missing }) } };
  const identity = { ...run.identity, settings: settingsDigest(settings) };
  const what = [...(teachers?.values() ?? [])].flatMap(({ differences }) => differences);
  folder.begin(settings, {
    kind: modalities.length > 1 ? 'student' : 'teacher',
    model: facts,
    environment: describeEnvironment(processes?.allReduce.processes),
    components: plan.components,
    identity,
    ...(what.length > 0 && { changes: [{ epoch: 0, what }] }),
  });
  for (const [split, { table }] of Object.entries(run.data.masks) as [Split, SplitMask][])
    if (table !== undefined) writeFileAtomic(folder.mask(split), table);
  if (teachers) copyTeachers(teachers, folder, identity);
  return aside;
}

/** From then on the run needs nobody else's folder. */
function copyTeachers(teachers: Teachers, folder: RunFolder, identity: RunIdentity): void {
  for (const [modality, { recorded, weights, summary }] of teachers) {
    const copy = new RunFolder(folder.teacher(modality));
    copy.record(recorded);
    if (summary) copy.writeSummary(summary);
    copy.writeWeights(TEACHER_WEIGHTS, weights);
  }
  const checksums = checksumsOf(teachers.keys(), folder);
  // A run that is killed before has no checkpoint: it begins anew.
  folder.record({ ...folder.config(), identity: { ...identity, teachers: checksums } });
}
