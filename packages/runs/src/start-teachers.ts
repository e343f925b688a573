import { renameSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { batches } from '@g2d/datasets';
import type { TeacherOutputs } from '@g2d/distill';
import {
  TeacherOutputsFile,
  teacherHash,
  writeTeacherOutputs,
  type TeacherBatch,
  type TeacherIdentity,
} from '@g2d/distill/node';
import { G2DError } from '@g2d/core';
import { isThere } from '@g2d/formats/node';
import type { MultimodalModel } from '@g2d/fusion';
import { frozenTeachers, type FrozenTeachers, type StoredTeacher, writeState } from '@g2d/trainer';
import { disposeState } from '@g2d/trainer/internal';
import { RunFolder } from './node/run-folder.js';
import { buildModel } from './build-model.js';
import type { RunConfig } from './config-schema.js';
import { inputsOf } from './identity.js';
import { factsOf, FULL_TEACHER, modalitiesOf } from './modalities.js';
import type { RunData } from './open-data.js';
import { planMethods } from './plan-methods.js';
import { planModel } from './plan-model.js';
import { usablePrecision } from './precision.js';
import type { Teachers } from './read-teachers.js';

const OUTPUTS = 'outputs.safetensors';

/** How teachers are started. */
interface Starting {
  readonly data: RunData;
  readonly folder: RunFolder;
  /** Who is told that stored outputs of other data are kept under another name. */
  readonly note: (line: string) => void;
}

/**
 * Makes the teachers ready to judge: their models, frozen, or outputs on the training split that are stored in the run's folder. Their
 * `dispose` frees the models too.
 */
export async function startTeachers(
  teachers: Teachers,
  config: RunConfig,
  { data, folder, note }: Starting,
): Promise<FrozenTeachers<string>> {
  const models: Record<string, MultimodalModel<string>> = {};
  let full: MultimodalModel<string> | undefined;
  for (const [modality, { config: own, weights }] of teachers) {
    const isFull = modality === FULL_TEACHER;
    // Its method may have brought its fusion.
    const { methods } = isFull ? await planMethods(own) : { methods: [] };
    const names = isFull ? modalitiesOf(own, data.train) : [modality];
    const { model } = await buildModel(await planModel(own, methods), factsOf(names, data.train));
    writeState(model, weights);
    if (isFull) full = model;
    else models[modality] = model;
  }
  const options = {
    precision: usablePrecision(config.teacherPrecision),
    ...(full && { full }),
  };
  if (config.teacherOutputs === 'online') {
    const judges = frozenTeachers<string>(models, options);
    const { dispose } = judges;
    return Object.assign(judges, {
      dispose: () => {
        dispose();
        Object.values(models).forEach(disposeState);
        if (full) disposeState(full);
      },
    });
  }

  const stored: Record<string, StoredTeacher> = {};
  for (const [modality, model] of Object.entries(models)) {
    const identity = {
      teacherHash: await teacherHash(model.state()),
      augmentationSeed: null,
      data: inputsOf(data.identity.train, modality),
    };
    const file = new RunFolder(folder.teacher(modality)).file(OUTPUTS);
    // Whether the run may have these data was asked when it was opened.
    if (isThere(file) && isOfOtherData(file, identity))
      note(
        `${file} has the outputs on other data, and is kept as ${setAside(file)}: they are computed anew.`,
      );
    if (!isThere(file)) {
      const judge = frozenTeachers<string>({ [modality]: model }, options);
      await writeTeacherOutputs(file, identity, outputsOf(judge, modality, { config, data }));
      judge.dispose();
    }
    stored[modality] = TeacherOutputsFile.open(file, identity);
    disposeState(model);
  }
  return frozenTeachers<never, string>({}, { stored });
}

/** Whether stored outputs are those of the same teacher, on other data. */
function isOfOtherData(file: string, identity: TeacherIdentity): boolean {
  const isFor = (wanted: TeacherIdentity): boolean => {
    try {
      TeacherOutputsFile.open(file, wanted).close();
      return true;
    } catch (error) {
      if (G2DError.isInstance(error) && error.code === 'G2D_STALE_TEACHER_OUTPUTS') return false;
      throw error;
    }
  };
  return !isFor(identity) && isFor({ ...identity, data: undefined });
}

/** Gives a file a name that nothing has. */
function setAside(file: string): string {
  let count = 1;
  while (isThere(`${file}.earlier-${count}`)) count++;
  const name = `${file}.earlier-${count}`;
  renameSync(file, name);
  return name;
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
