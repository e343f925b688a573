import * as tf from '@tensorflow/tfjs-core';
import { perModality, type Batch, type Outputs } from '@g2d/core';
import { MultimodalModel } from '@g2d/fusion';
import { cra } from '@g2d/methods';
import { z } from 'zod';
import { tensorValues } from '../../recipe.js';
import { dot } from '../../numbers.js';
import { list, number, object, oneOf, text, tuple } from '../../strict-json.js';
import { atLeast0, count, type Tree } from '../../methods/method-case.js';
import { numbers } from '../../methods/method-run.js';
import { TrainerRun } from '../../trainer-run.js';
import { hashedTensor, maskColumns } from '../case-tensors.js';
import { denseEncoder } from '../dense-encoder.js';
import { HeldTensors, networkNorms, type CaseValues } from '../held-tensors.js';
import { imaginationPlaces } from '../imagination-places.js';
import { batches, defineSystemDriver, hashedModel, inputs, masks, seed } from '../missing-case.js';

export const craDriver = defineSystemDriver({
  system: 'cra',
  keys: {
    seed,
    task: z.enum(['classification', 'regression']),
    classes: count,
    batch: count,
    inputs,
    maskColumns: list(text),
    concatenation: list(text),
    batches: batches(object({ labels: list(number()), masks })),
    options: object({
      code: oneOf('gcnet'),
      datasetMode: text,
      embedding: z.record(z.string(), count),
      classifierLayers: list(count),
      autoencoderLayers: list(count),
      blocks: count,
      dropout: z.literal(0, '0'),
      ceWeight: atLeast0,
      mseWeight: atLeast0,
      learningRate: atLeast0,
      betas: tuple(number(), number()),
      adamEpsilon: atLeast0,
      clip: number({ above: 0 }),
    }),
    steps: list(object({ do: z.literal('train'), batch: text })),
    models: object({ model: hashedModel }),
  },
  async run(given) {
    const { id, task, classes, concatenation: modalities, maskColumns: columns, options } = given;
    const shapes = perModality(modalities, (m) => given.inputs[m]!.shape.slice(1));
    const encoders = perModality(modalities, (m) =>
      denseEncoder(m, shapes[m]![0]!, [...options.classifierLayers, options.embedding[m]!]),
    );
    const method = cra<string>({
      units: options.autoencoderLayers,
      blocks: options.blocks,
      hidden: options.classifierLayers,
      dropout: 0,
      weight: options.mseWeight,
      taskWeight: options.ceWeight,
      initialization: 'xavier',
    });
    const widths = perModality(modalities, (m) => options.embedding[m]!);
    const fusion = method.fusion!({ widths, classes, seed: 0, inputShapes: shapes });
    const model = new MultimodalModel<string>({ encoders, fusion });
    const held = new HeldTensors(
      given,
      given.models.model,
      imaginationPlaces(model, options.classifierLayers.length),
    );
    held.initialize(given.models.model);
    const start = held.values();
    const run = new TrainerRun<CaseValues>({
      method,
      model,
      task,
      ...(task === 'regression' && { loss: { output: 'identity' as const } }),
      epochs: 1,
      optimizer: {
        type: 'adam',
        learningRate: options.learningRate,
        betas: options.betas as [number, number],
        epsilon: options.adamEpsilon,
        clipping: { norm: options.clip, per: 'network' },
      },
      read: (gradients) => held.gradients(gradients),
    });
    const batchOf = (tag: string): Batch<string> => {
      const { labels, masks } = given.batches[tag]!;
      return tf.tidy(() => ({
        inputs: perModality(modalities, (m) =>
          hashedTensor({ seed: given.seed, name: `${tag}/${m}` }, given.inputs[m]!),
        ),
        labels: tf.tensor1d(labels, task === 'regression' ? 'float32' : 'int32'),
        ids: labels.map((_, i) => `${tag}/${i}`),
        present: maskColumns(masks, columns, id),
      })) as Batch<string>;
    };
    const logitsOf = (logits: tf.Tensor2D): Tree =>
      numbers(task === 'regression' ? tf.squeeze(logits, [1]) : logits);
    const networks = [...columns.flatMap((m) => [`net${m}`, `net${m}${m}`]), 'netC', 'netAE'];
    const along = (name: string, x: tf.Tensor): number =>
      dot(x.dataSync(), tensorValues({ seed: given.seed, name: `proj/${name}` }, x.size));
    const steps: Tree[] = [];
    let gradients: Tree;
    try {
      await run.begin();
      const evaluated = (withImputed: boolean): { readonly [key: string]: Tree } =>
        run.look(batchOf('eval'), (step) => {
          const outputs = step.forward({ missing: 'zero-input', training: false });
          const { imputed } = outputs as ImputedOutputs;
          const { student, reconstruction } = method.loss!(outputs, step, undefined);
          return {
            logits: logitsOf(outputs.logits),
            ...(withImputed && { imputed: perModality(modalities, (m) => numbers(imputed[m]!)) }),
            lossRecon: reconstruction!.dataSync()[0],
            lossTask: student!.dataSync()[0],
          };
        });
      const evalBefore = evaluated(true);
      for (const [batchIndex, { batch }] of given.steps.entries()) {
        const found = await run.step(
          { batch: batchOf(batch), epoch: 1, batchIndex },
          ({ losses, outputs }) => {
            const { joined, hidden } = outputs as ImputedOutputs;
            const { total, student, reconstruction } = losses;
            return {
              losses: { total, task: student, reconstruction },
              logits: logitsOf(outputs.logits),
              fusedFeatureProj: along('feature', joined),
              hiddenProj: along('hidden', hidden),
            };
          },
        );
        const { before } = run.updates[0]!;
        const norms = networkNorms(before, networks);
        gradients ??= held.gradientTable(before);
        steps.push({
          ...found,
          gradNormBeforeClipping: norms,
          clipped: networks.filter((network) => norms[network]! > options.clip),
        });
      }
      return {
        evalBefore,
        steps,
        gradients,
        parameters: held.parameterTable(start),
        evalAfter: evaluated(false),
      };
    } finally {
      run.dispose();
      for (const weight of model.state().values()) weight.dispose();
    }
  },
});

interface ImputedOutputs extends Outputs<string> {
  readonly joined: tf.Tensor2D;
  readonly hidden: tf.Tensor2D;
  readonly imputed: Readonly<Record<string, tf.Tensor2D>>;
}
