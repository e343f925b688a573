import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { NamedArray } from '@g2d/core';
import { exportTorch } from '@g2d/encoders/node';
import { decodeSafetensors, encodeSafetensors } from '@g2d/formats';
import { writeFileAtomic } from '@g2d/formats/node';
import { train } from '@g2d/trainer';
import { methodsOf } from './step-methods.js';
import { buildModel, copyOf, randomBatch, teachersOf, type BuiltModel } from './step-parts.js';
import type { StepSetup } from './step-setup.js';

/** The paper's settings of SGD, but for the rate: what is compared must move, and after large steps rounding alone sets losses apart. */
const OPTIMIZER = { learningRate: 1e-4, momentum: 0.9, weightDecay: 1e-4 } as const;

/**
 * Writes the weights and the batch that a measurement begins with, and trains on that batch without dropout: somebody else's network of
 * the same weights must come to the same losses.
 *
 * The file has `encoders.<modality>.<PyTorch's name>`, `heads.<modality>.weight` and `.bias`, `inputs.<modality>` with channels last,
 * `labels`, and with cached teachers `teachers.<modality>.logits` and `.features`.
 *
 * @param file Ends in `.safetensors`.
 * @returns The loss of each of `setup.steps` steps, before its update.
 */
export async function recordStep(setup: StepSetup, file: string): Promise<number[]> {
  const { dataset, precision, steps } = setup;
  const modalities = Object.keys(dataset.modalities);
  // Every step is an epoch here, and the phase lasts.
  const idle = modalities.slice(1).map(() => 0);
  const phaseEpochs = setup.phase === 'joint' ? [...idle, steps] : [steps, ...idle];
  const options = setup.method === 'g2d' ? { options: { ...setup.options, phaseEpochs } } : {};
  const student = buildModel(dataset, modalities, { seed: 0, precision });
  const batch = randomBatch(dataset, setup.batch);
  const { teachers, dispose } = teachersOf(setup, batch, student.widths);
  const losses: number[] = [];
  try {
    for (const encoder of Object.values(student.encoders)) withoutDropout(encoder);
    const judged = teachers?.outputs(batch) ?? {};
    writeFileAtomic(
      file,
      encodeSafetensors({
        ...weightsOf(student),
        ...named('inputs', batch.inputs),
        ...named('', { labels: batch.labels }),
        ...Object.assign({}, ...modalities.map((name) => named(`teachers.${name}`, { ...judged[name] }))),
      }),
    );
    for (const { logits, features } of Object.values(judged)) tf.dispose([logits, features]);
    await train({
      model: student.model,
      methods: methodsOf({ ...setup, ...options }),
      ...(teachers && { teachers }),
      epochs: steps,
      task: dataset.task,
      optimizer: OPTIMIZER,
      batchesPerEpoch: 1,
      async *batches() {
        yield copyOf(batch);
      },
      async *everySample() {
        yield copyOf(batch);
      },
      onEpoch: ({ loss }) => void losses.push(loss['total'] as number),
    });
    return losses;
  } finally {
    dispose();
    student.dispose();
    tf.dispose(batch);
  }
}

/** Before its first call: then the model's program is made. */
function withoutDropout(model: LayersModel): void {
  for (const layer of model.layers) {
    if (layer.getClassName() === 'Dropout') (layer as unknown as { rate: number }).rate = 0;
  }
}

function weightsOf({ encoders, fusion }: BuiltModel): Record<string, NamedArray> {
  const folder = mkdtempSync(join(tmpdir(), 'g2d-bench-'));
  try {
    const weights: Record<string, NamedArray> = {};
    for (const [modality, encoder] of Object.entries(encoders)) {
      const file = join(folder, `${modality}.safetensors`);
      exportTorch(encoder, file, { prefix: `encoders.${modality}.` });
      Object.assign(weights, decodeSafetensors(readFileSync(file), file));
    }
    for (const { layer, modality } of fusion.layers) {
      const [kernel, bias] = layer.weights.map((weight) => weight.read()) as [tf.Tensor2D, tf.Tensor1D];
      const transposed = tf.transpose(kernel);
      Object.assign(weights, named(`heads.${modality}`, { weight: transposed, bias }));
      transposed.dispose();
    }
    return weights;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function named(
  prefix: string,
  tensors: Readonly<Record<string, tf.Tensor>>,
): Readonly<Record<string, NamedArray>> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]): [string, NamedArray] => [
      prefix ? `${prefix}.${name}` : name,
      { shape: tensor.shape, values: new Float32Array(tensor.dataSync()) },
    ]),
  );
}
