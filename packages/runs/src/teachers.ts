import { existsSync, readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { batches } from '@g2d/datasets';
import type { TeacherOutputs } from '@g2d/distill';
import { TeacherOutputsFile, teacherHash, writeTeacherOutputs, type TeacherBatch } from '@g2d/distill/node';
import type { MultimodalModel } from '@g2d/fusion';
import { OptionError, type NamedArray } from '@g2d/core';
import type { RecordedFacts } from '@g2d/core/run-folder';
import { decodeSafetensors, encodeSafetensors } from '@g2d/formats';
import { writeFileAtomic } from '@g2d/formats/node';
import { frozenTeachers, type FrozenTeachers, type StoredTeacher, writeState } from '@g2d/trainer';
import { disposeState } from '@g2d/trainer/internal';
import { RunFolder, type RunSummary } from './node/run-folder.js';
import { buildModel, type ModelFacts } from './build-model.js';
import type { RunConfig } from './config-schema.js';
import type { RunData } from './open-data.js';
import { usablePrecision } from './precision.js';
import { firstDifference, parseConfig } from './read-config.js';

/** A teacher: what its run was, and its weights. */
interface Teacher {
  readonly path: string;
  /** `config.json` of its run. */
  readonly recorded: RecordedFacts;
  readonly weights: Readonly<Record<string, NamedArray>>;
  /** What it came to, for the student's report. */
  readonly summary: RunSummary | undefined;
}

/** By modality. */
export type Teachers = ReadonlyMap<string, Teacher>;

const WEIGHTS = 'model.safetensors';
const OUTPUTS = 'outputs.safetensors';

/**
 * Reads the teachers that a configuration names, or, in a run that goes on, the copies in its folder.
 *
 * @throws {OptionError} If one is missing, not finished, or of another modality, dataset, shape or number of classes.
 */
export function readTeachers(
  config: RunConfig,
  student: ModelFacts,
  { copies }: { readonly copies: RunFolder | undefined },
): Teachers {
  return new Map(
    Object.keys(student.shapes).map((modality) => {
      const teacher = copies ? readCopy(copies.teacher(modality)) : readFinished(config, modality);
      assertFits(teacher, modality, config, student);
      return [modality, teacher];
    }),
  );
}

function readFinished({ teachers, method }: RunConfig, modality: string): Teacher {
  const path = teachers?.[modality];
  const advice = `Train it (g2d train CONFIG --teacher ${modality} --out DIR) and give its run folder.`;
  const refuse = (problem: string): never => {
    throw new OptionError(`The method "${method}" needs a teacher for ${modality}, ${problem}. ${advice}`, {
      option: `teachers.${modality}`,
      value: path,
      accepted: 'the folder of a finished run',
    });
  };
  if (path === undefined) return refuse('and "teachers" names none');
  const folder = new RunFolder(path);
  const recorded = folder.config();
  if (!existsSync(path)) return refuse(`but there is no folder ${path}`);
  if (!recorded) return refuse(`but ${path} is no run folder`);
  const summary = folder.summary();
  if (!summary) return refuse(`but the run ${path} is not finished: go on with it (--resume)`);
  return { path, recorded, weights: folder.weights(), summary };
}

function readCopy(path: string): Teacher {
  const folder = new RunFolder(path);
  const recorded = folder.config();
  if (recorded && existsSync(folder.file(WEIGHTS))) {
    const weights = decodeSafetensors(readFileSync(folder.file(WEIGHTS)), folder.file(WEIGHTS));
    return { path, recorded, weights, summary: folder.summary() };
  }
  throw new OptionError(
    `The run's copy of a teacher in ${path} is gone. Begin the run anew, in another folder.`,
    { option: 'out', value: path, accepted: 'a complete run folder' },
  );
}

function assertFits(
  { path, recorded }: Teacher,
  modality: string,
  config: RunConfig,
  student: ModelFacts,
): void {
  const refuse = (what: string, found: unknown, needed: unknown): never => {
    throw new OptionError(
      `The teacher for ${modality} in ${path} has ${what} ${written(found)}, but this run has ${written(needed)}. Train a teacher for this run.`,
      { option: `teachers.${modality}`, value: path, accepted: written(needed) },
    );
  };
  const facts = recorded.model;
  const modalities = Object.keys(facts?.shapes ?? {});
  if (!facts || modalities.join() !== modality) return refuse('the modalities', modalities, [modality]);
  // Another fold or list of the same dataset would show the teacher what the student is tested on.
  const own = parseConfig(recorded, { where: `${path}/config.json` });
  const other = firstDifference(withoutRoot(own), withoutRoot({ ...own, dataset: config.dataset }));
  if (other) refuse(`"${other.key}"`, other.begun, other.now);
  if (facts.classes !== student.classes) refuse('classes', facts.classes, student.classes);
  const [found, needed] = [facts.shapes[modality], student.shapes[modality]];
  if (JSON.stringify(found) !== JSON.stringify(needed)) refuse('inputs of shape', found, needed);
}

const written = (value: unknown): string => JSON.stringify(value) ?? 'not set';

/** The same files may lie elsewhere. */
const withoutRoot = (config: RunConfig): RunConfig => {
  const { root: _, ...dataset } = config.dataset as { readonly root?: string } & RunConfig['dataset'];
  return { ...config, dataset: dataset as RunConfig['dataset'] };
};

/** Copies the teachers into a run's folder, which from then on needs nobody else's. */
export function copyTeachers(teachers: Teachers, folder: RunFolder): void {
  for (const [modality, { recorded, weights, summary }] of teachers) {
    const copy = new RunFolder(folder.teacher(modality));
    copy.record(recorded);
    if (summary) copy.writeSummary(summary);
    writeFileAtomic(copy.file(WEIGHTS), encodeSafetensors(weights));
  }
}

/**
 * Makes the teachers ready to judge: their models, frozen, or outputs on the training split that are stored in the run's folder. Their
 * `dispose` frees the models too.
 *
 * @throws {OptionError} If outputs are to be stored and the inputs are augmented at random.
 */
export async function startTeachers(
  teachers: Teachers,
  config: RunConfig,
  { data, folder }: { readonly data: RunData; readonly folder: RunFolder },
): Promise<FrozenTeachers<string>> {
  const models: Record<string, MultimodalModel<string>> = {};
  for (const [modality, { path, recorded, weights }] of teachers) {
    const own = parseConfig(recorded, { where: `${path}/config.json` });
    const { model } = await buildModel(own, data.train, []);
    writeState(model, weights);
    models[modality] = model;
  }
  const options = { precision: usablePrecision(config.teacherPrecision) };
  if (config.teacherOutputs === 'online') {
    const judges = frozenTeachers<string>(models, options);
    const { dispose } = judges;
    return Object.assign(judges, {
      dispose: () => {
        dispose();
        Object.values(models).forEach(disposeState);
      },
    });
  }

  const stored: Record<string, StoredTeacher> = {};
  for (const [modality, model] of Object.entries(models)) {
    assertNotAugmented(modality, config, data);
    const identity = { teacherHash: await teacherHash(model.state()), augmentationSeed: null };
    const file = new RunFolder(folder.teacher(modality)).file(OUTPUTS);
    if (!existsSync(file)) {
      const judge = frozenTeachers<string>({ [modality]: model }, options);
      await writeTeacherOutputs(file, identity, outputsOf(judge, modality, { config, data }));
      judge.dispose();
    }
    stored[modality] = TeacherOutputsFile.open(file, identity);
    disposeState(model);
  }
  return frozenTeachers<never, string>({}, { stored });
}

async function* outputsOf(
  teacher: FrozenTeachers<string>,
  modality: string,
  { config, data }: { readonly config: RunConfig; readonly data: RunData },
): AsyncGenerator<TeacherBatch> {
  const { workers } = config.data;
  const { batchSize } = config.evaluation;
  for await (const batch of batches(data.train, { batchSize, workers, modalities: [modality] })) {
    const outputs = teacher.outputs(batch)[modality] as TeacherOutputs;
    try {
      yield { ids: batch.ids, outputs };
    } finally {
      tf.dispose([batch, outputs.logits, outputs.features]);
    }
    await tf.nextFrame();
  }
}

function assertNotAugmented(
  modality: string,
  { data: { transform, augment } }: RunConfig,
  { train }: RunData,
): void {
  const own = transform === 'train' && train.augmented?.includes(modality);
  if (!own && !augment[modality]) return;
  throw new OptionError(
    `"teacherOutputs" is "stored", but ${modality} is augmented at random, so that a teacher would judge other inputs than the student sees. Use "online", or switch the augmentation off ("data.transform": "test", no "data.augment").`,
    { option: 'teacherOutputs', value: 'stored', accepted: '"online"' },
  );
}
