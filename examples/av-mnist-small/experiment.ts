import { join } from 'node:path';
import { formatNumber, perModality, type PerModality } from '@g2d/core';
import { writeFileAtomic } from '@g2d/formats/node';
import { runtimeInfo } from '@g2d/native';
import { loadRun, RunFolder, type RunSummary, type SweepPlan } from '@g2d/runs';
import { frozenTeachers, teacherConfidence } from '@g2d/trainer';
import type { Data, Modality } from './data.js';

const MODALITIES = ['audio', 'image'] as const;

/** Written last, into the sweep's folder. */
export const RESULT = 'summary.json';

/** What to say where the ranking of two teachers is left to chance. */
export function confidenceWarning({ audio, image }: PerModality<Modality, number>): string | undefined {
  if (Math.abs(audio - image) >= 0.05) return undefined;
  return (
    `Warning: the teachers are almost equally confident (audio ${formatNumber(audio, 3)}, image ${formatNumber(image, 3)}). ` +
    'The ranking will flip from batch to batch, and with it the modality that trains alone.'
  );
}

/** ρ of the teachers on the training split, without augmentation. */
async function confidencesOf(folder: string, { train }: Data): Promise<PerModality<Modality, number>> {
  const audio = await loadRun(join(folder, 'teacher-audio'));
  const image = await loadRun(join(folder, 'teacher-image'));
  const teachers = frozenTeachers<Modality>({ audio: audio.model, image: image.model } as never);
  try {
    return await teacherConfidence(teachers, train);
  } finally {
    teachers.dispose();
    await audio.close();
    await image.close();
  }
}

/** The results of a finished sweep in one file, which its table and its page are made from. */
export async function writeResults(
  { out, runs }: SweepPlan,
  data: Data,
  warn: (line: string) => void,
): Promise<void> {
  const summaries = new Map(runs.map(({ id }) => [id, new RunFolder(join(out, id)).summary() as RunSummary]));
  const students = [...summaries].filter(([, { kind }]) => kind === 'student');
  const trained = [...summaries].filter(([, { epochs }]) => epochs > 0);
  const confidences = await confidencesOf(out, data);
  const warning = confidenceWarning(confidences);
  if (warning !== undefined) warn(warning);
  const { backend, tensorflow, device } = runtimeInfo()!;
  const summary = {
    seed: runs[0]!.config.seed,
    backend,
    tensorflow,
    device,
    seconds: Object.fromEntries(trained.map(([id, { seconds }]) => [id, seconds])),
    results: Object.fromEntries(students.map(([id, { test, validation }]) => [id, { test, validation }])),
    teachers: perModality(MODALITIES, (modality) => summaries.get(`teacher-${modality}`)?.test[modality]),
    confidences,
  };
  writeFileAtomic(join(out, RESULT), `${JSON.stringify(summary, null, 2)}\n`);
}
