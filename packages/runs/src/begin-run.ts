import { describeEnvironment } from './environment.js';
import { loadInitialWeights } from './initial-weights.js';
import { RunFolder } from './node/run-folder.js';
import type { OpenedRun } from './open-run.js';
import { TEACHER_WEIGHTS, type Teachers } from './read-teachers.js';

/**
 * Gives a run its initial weights, and records what it is in its folder: the run has begun.
 *
 * @returns Where what lay in the folder was moved, `undefined` if there was nothing.
 */
export function beginRun(run: OpenedRun): string | undefined {
  const { plan, folder, facts, teachers } = run;
  loadInitialWeights(run, plan.config);
  const aside = folder.setAside();
  const modalities = Object.keys(facts.shapes);
  folder.begin(
    { ...plan.config, modalities },
    {
      kind: modalities.length > 1 ? 'student' : 'teacher',
      model: facts,
      environment: describeEnvironment(),
      components: plan.components,
    },
  );
  if (teachers) copyTeachers(teachers, folder);
  return aside;
}

/** From then on the run needs nobody else's folder. */
function copyTeachers(teachers: Teachers, folder: RunFolder): void {
  for (const [modality, { recorded, weights, summary }] of teachers) {
    const copy = new RunFolder(folder.teacher(modality));
    copy.record(recorded);
    if (summary) copy.writeSummary(summary);
    copy.writeWeights(TEACHER_WEIGHTS, weights);
  }
}
