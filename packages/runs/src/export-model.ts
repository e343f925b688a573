import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { OptionError, type Preprocessing, type RegressionOutput, type Task } from '@g2d/core';
import { writeFileAtomic, isThere } from '@g2d/formats/node';
import type { LoadedRun } from './load-run.js';

/** What an exported model takes and gives: `g2d.json` beside it, and its own metadata (`model.getUserDefinedMetadata()`). */
export interface ExportedModel {
  readonly run: string;
  readonly epoch: number | null;
  readonly task: Task;
  /** In the order in which the model takes them; channels last, without the batch. */
  readonly inputs: readonly {
    readonly modality: string;
    readonly shape: readonly (number | null)[];
    /** What has to be done to the raw numbers; absent where the dataset does not say it: then they are what its `sample` gives. */
    readonly preprocessing?: Preprocessing;
  }[];
  /** In order: `fused`, then each modality's own; one alone for a teacher. Logits; of a regression z, see `output`; of a multi-label task the probability of each class is sigmoid(z). */
  readonly outputs: readonly string[];
  /** Of a regression: its value is the sigmoid of an output, or the output itself. */
  readonly output?: RegressionOutput;
  /** By class id. */
  readonly classNames: readonly string[];
}

const FILES = ['model.json', 'weights.bin', 'g2d.json'];

/**
 * Writes a run's model for plain TensorFlow.js: `model.json`, `weights.bin`, and `g2d.json` with what it takes and gives: also what has to
 * be done to raw numbers before, without which a model answers, but wrongly. The same is in the model's metadata.
 *
 * `model.json` is there last, so that a folder with one is complete.
 *
 * @throws {OptionError} If the folder holds other files, the model has parts that are no standard layers, or the run does not predict with it.
 */
export async function exportModel(
  { model, plan: { methods }, config, facts, folder, epoch, data }: LoadedRun,
  out: string,
): Promise<ExportedModel> {
  const predicting = methods.find(({ forward }) => forward);
  if (predicting || epoch === null) {
    throw new OptionError(
      predicting
        ? `The method "${predicting.name}" predicts in a way of its own, not with the run's model, so there is no model to export. Export the runs that it predicts with, such as its teachers.`
        : `The run ${folder.path} was not trained: there is no model to export.`,
      { option: 'RUN', value: folder.path, accepted: 'a trained run whose model predicts' },
    );
  }
  const foreign = isThere(out) ? readdirSync(out).filter((name) => !FILES.includes(name)) : [];
  if (foreign.length > 0) {
    throw new OptionError(
      `${out} holds other files (${foreign.slice(0, 3).join(', ')}), and is left alone.`,
      {
        option: 'out',
        value: out,
        accepted: 'a new or empty folder, or one of an earlier export',
      },
    );
  }
  const modalities = Object.keys(facts.shapes);
  const description: ExportedModel = {
    run: folder.path,
    epoch,
    task: facts.task,
    inputs: modalities.map((modality) => {
      const preprocessing = data.test.preprocessing?.[modality];
      return {
        modality,
        shape: facts.shapes[modality] as number[],
        ...(preprocessing && { preprocessing }),
      };
    }),
    outputs: modalities.length > 1 ? ['fused', ...modalities] : modalities,
    ...(facts.task === 'regression' && { output: config.loss?.output ?? 'sigmoid' }),
    classNames: data.test.classNames,
  };
  let artifacts: tf.io.ModelArtifacts | undefined;
  await model.toLayersModel().save(
    // `file://` is known to one backend alone.
    tf.io.withSaveHandler(async (saved) => {
      artifacts = saved;
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    }),
  );
  const { modelTopology, weightSpecs, weightData, format, generatedBy } = artifacts as tf.io.ModelArtifacts;
  const bytes = [weightData].flat() as ArrayBuffer[];
  writeFileAtomic(
    join(out, 'weights.bin'),
    bytes.map((buffer) => new Uint8Array(buffer)),
  );
  writeFileAtomic(join(out, 'g2d.json'), `${JSON.stringify(description, null, 2)}\n`);
  const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
  writeFileAtomic(
    join(out, 'model.json'),
    JSON.stringify({
      modelTopology,
      format,
      generatedBy,
      convertedBy: null,
      userDefinedMetadata: description,
      weightsManifest,
    }),
  );
  return description;
}
