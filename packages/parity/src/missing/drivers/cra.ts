import { perModality } from '@g2d/core';
import { MultimodalModel } from '@g2d/fusion';
import { cra, type ImputedOutputs } from '@g2d/methods';
import { z } from 'zod';
import { list, number, object, oneOf, text, tuple } from '../../strict-json.js';
import { atLeast0, count, type Tree } from '../../methods/method-case.js';
import { numbers } from '../../methods/method-run.js';
import { TrainerRun } from '../../trainer-run.js';
import { HeldTensors, type CaseValues } from '../held-tensors.js';
import { imaginationPlaces } from '../imagination-places.js';
import {
  along,
  clippedTree,
  encodersOf,
  endOf,
  imaginationBatch,
  imaginationKeys,
  logitsTree,
  sampleShapes,
} from '../imagination-run.js';
import { defineSystemDriver, hashedModel } from '../missing-case.js';

export const craDriver = defineSystemDriver({
  system: 'cra',
  keys: {
    ...imaginationKeys,
    classes: count,
    batch: count,
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
    const { seed, task, classes, concatenation: modalities, maskColumns, options, models } = given;
    const { embedding, classifierLayers: hidden, autoencoderLayers: units, blocks, clip } = options;
    const method = cra<string>({
      units,
      blocks,
      hidden,
      dropout: 0,
      weight: options.mseWeight,
      taskWeight: options.ceWeight,
      initialization: 'xavier',
    });
    const widths = perModality(modalities, (m) => embedding[m]!);
    const fusion = method.fusion!({ widths, classes, seed: 0, inputShapes: sampleShapes(given) });
    const model = new MultimodalModel<string>({ encoders: encodersOf(given, { embedding, hidden }), fusion });
    const held = new HeldTensors(given, models.model, imaginationPlaces(model, hidden.length));
    held.initialize(models.model);
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
        clipping: { norm: clip, per: 'network' },
      },
      read: (gradients) => held.gradients(gradients),
    });
    const networks = [...maskColumns.flatMap((m) => [`net${m}`, `net${m}${m}`]), 'netC', 'netAE'];
    const evaluated = (withImputed: boolean): { readonly [key: string]: Tree } =>
      run.look(imaginationBatch(given, 'eval'), (step) => {
        const outputs = step.forward({ missing: 'zero-input', training: false });
        const { imputed } = outputs as ImputedOutputs<string>;
        const { student, reconstruction } = method.loss!(outputs, step, undefined);
        return {
          logits: logitsTree(task, outputs.logits),
          ...(withImputed && { imputed: perModality(modalities, (m) => numbers(imputed[m]!)) }),
          lossRecon: reconstruction!.dataSync()[0],
          lossTask: student!.dataSync()[0],
        };
      });
    try {
      await run.begin();
      const evalBefore = evaluated(true);
      const steps: Tree[] = [];
      let first: CaseValues | undefined;
      for (const [batchIndex, { batch: tag }] of given.steps.entries()) {
        const batch = imaginationBatch(given, tag);
        const found = await run.step({ batch, epoch: 1, batchIndex }, ({ losses, outputs }) => {
          const { joined, hidden: g } = outputs as ImputedOutputs<string>;
          const { total, student, reconstruction } = losses;
          return {
            losses: { total, task: student, reconstruction },
            logits: logitsTree(task, outputs.logits),
            fusedFeatureProj: along(seed, 'feature', joined),
            hiddenProj: along(seed, 'hidden', g),
          };
        });
        const { before } = run.updates[0]!;
        first ??= before;
        steps.push({ ...found, ...clippedTree(before, networks, clip) });
      }
      return { evalBefore, steps, ...endOf(held, start, first!), evalAfter: evaluated(false) };
    } finally {
      run.dispose();
      for (const weight of model.state().values()) weight.dispose();
    }
  },
});
