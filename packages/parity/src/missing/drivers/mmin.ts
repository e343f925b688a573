import * as tf from '@tensorflow/tfjs-core';
import { perModality, type Batch, type Outputs } from '@g2d/core';
import { concatMlpFusion, MultimodalModel } from '@g2d/fusion';
import { imaginationTarget, mmin, type ImaginedOutputs } from '@g2d/methods';
import { frozenTeachers } from '@g2d/trainer';
import { z } from 'zod';
import { flag, list, number, object, oneOf, text, tuple } from '../../strict-json.js';
import { atLeast0, count, type Tree } from '../../methods/method-case.js';
import { numbers } from '../../methods/method-run.js';
import { TrainerRun, type TrainerRunOptions } from '../../trainer-run.js';
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
} from '../imagination-run.js';
import { defineSystemDriver, hashedModel } from '../missing-case.js';

const betas = tuple(number(), number());
const clip = number({ above: 0 });

export const mminDriver = defineSystemDriver({
  system: 'mmin',
  keys: {
    ...imaginationKeys,
    classes: count,
    batch: count,
    options: object({
      code: oneOf('mmin', 'gcnet'),
      embedding: z.record(z.string(), count),
      classifierLayers: list(count),
      autoencoderLayers: list(count),
      blocks: count,
      dropout: z.literal(0, '0'),
      textCnnChannels: count,
      textCnnHeights: list(count),
      shareWeight: flag,
      ceWeight: atLeast0,
      mseWeight: atLeast0,
      cycleWeight: atLeast0,
      teacherLearningRate: atLeast0,
      teacherBetas: betas,
      teacherClip: clip,
      learningRate: atLeast0,
      betas,
      adamEpsilon: atLeast0,
      clip,
    }),
    teacherSteps: list(text),
    steps: list(object({ do: z.literal('train'), batch: text })),
    models: object({ teacher: hashedModel, model: hashedModel }),
  },
  async run(given) {
    const { seed, task, classes, concatenation: modalities, maskColumns, options, models } = given;
    const { embedding, classifierLayers: hidden } = options;
    const cnn = { channels: options.textCnnChannels, heights: options.textCnnHeights };
    const widths = perModality(modalities, (m) => embedding[m]!);
    const encoders = () => encodersOf(given, { embedding, hidden, text: cnn });
    const adam = (learningRate: number, momenta: readonly unknown[], norm: number) =>
      ({
        type: 'adam',
        learningRate,
        betas: momenta as [number, number],
        epsilon: options.adamEpsilon,
        clipping: { norm, per: 'network' },
      }) as const;
    const common = {
      task,
      epochs: 1,
      ...(task === 'regression' && { loss: { output: 'identity' as const } }),
    };

    const teacher = new MultimodalModel<string>({
      encoders: encoders(),
      fusion: concatMlpFusion({ widths, classes, seed: 0, hidden: [...hidden] }),
    });
    const method = mmin<string>({
      units: options.autoencoderLayers,
      blocks: options.blocks,
      hidden,
      dropout: 0,
      imaginationWeight: options.mseWeight,
      cycleWeight: options.cycleWeight,
      taskWeight: options.ceWeight,
      shareWeights: options.shareWeight,
      initialization: 'xavier',
    });
    const model = new MultimodalModel<string>({
      encoders: encoders(),
      fusion: method.fusion!({ widths, classes, seed: 0 }),
    });
    const placesOf = (own: MultimodalModel<string>) => imaginationPlaces(own, hidden.length);
    const heldByTeacher = new HeldTensors(given, models.teacher, placesOf(teacher));
    const ofEncoders = models.teacher.tensors
      .map(([name]) => name)
      .filter((name) => !name.startsWith('netC.'));
    const held = new HeldTensors(given, models.model, placesOf(model), ofEncoders);

    /** A stage, step by step. */
    const staged = async (
      settings: Omit<TrainerRunOptions<CaseValues>, 'read' | 'task' | 'epochs'>,
      {
        tags,
        held: own,
        batchOf,
        read,
        networks,
        limit,
        before,
        after,
      }: {
        tags: readonly string[];
        held: HeldTensors;
        batchOf: (tag: string) => Batch<string>;
        read: (
          outputs: Outputs<string>,
          losses: Readonly<Record<string, number>>,
          batch: Batch<string>,
        ) => object;
        networks: readonly string[];
        limit: number;
        before?: (run: TrainerRun<CaseValues>) => Tree;
        after?: (run: TrainerRun<CaseValues>) => Tree;
      },
    ): Promise<{ readonly [key: string]: Tree }> => {
      const run = new TrainerRun<CaseValues>({
        ...common,
        ...settings,
        read: (gradients) => own.gradients(gradients),
      });
      try {
        await run.begin();
        const start = own.values();
        const evalBefore = before?.(run);
        const steps: Tree[] = [];
        let first: CaseValues | undefined;
        for (const [batchIndex, tag] of tags.entries()) {
          const batch = batchOf(tag);
          const found = await run.step({ batch, epoch: 1, batchIndex }, ({ losses, outputs }) =>
            read(outputs as Outputs<string>, losses, batch),
          );
          const { before: gradients } = run.updates[0]!;
          first ??= gradients;
          steps.push({ ...found, ...clippedTree(gradients, networks, limit) } as Tree);
        }
        return { evalBefore, steps, ...endOf(own, start, first!), evalAfter: after?.(run) };
      } finally {
        run.dispose();
      }
    };

    try {
      heldByTeacher.initialize(models.teacher);
      held.initialize(models.model);
      const ofTeacher = await staged(
        {
          method: { name: 'joint' },
          model: teacher,
          optimizer: adam(options.teacherLearningRate, options.teacherBetas, options.teacherClip),
        },
        {
          tags: given.teacherSteps,
          held: heldByTeacher,
          batchOf: (tag) => imaginationBatch(given, tag, true),
          read: ({ logits }, { total }) => ({ losses: { total }, logits: logitsTree(task, logits) }),
          networks: ['netC', ...modalities.map((m) => `net${m}`)],
          limit: options.teacherClip,
        },
      );
      const evaluated = (run: TrainerRun<CaseValues>, inner: boolean): Tree =>
        run.look(imaginationBatch(given, 'eval'), (step) => {
          const outputs = step.forward({ missing: 'zero-input', training: false }) as ImaginedOutputs<string>;
          const { joined, imagined, latents, cycled } = outputs;
          return {
            logits: logitsTree(task, outputs.logits),
            ...(inner && {
              features: numbers(joined),
              imagined: numbers(imagined),
              latent: numbers(latents),
              cycled: numbers(cycled),
            }),
          };
        });
      const ofStudent = await staged(
        {
          method,
          model,
          teachers: frozenTeachers<string>({}, { full: teacher }),
          optimizer: adam(options.learningRate, options.betas, options.clip),
        },
        {
          tags: given.steps.map(({ batch }) => batch),
          held,
          batchOf: (tag) => imaginationBatch(given, tag),
          read: ({ logits }, { total, student, imagination, cycle }, batch) => ({
            losses: { total, task: student, imagination, cycle },
            logits: logitsTree(task, logits),
            targetProj: tf.tidy(
              () => along(seed, 'target', imaginationTarget(teacher, { batch, model })) as never,
            ) as number,
          }),
          networks: [
            ...maskColumns.map((m) => `net${m}`),
            'netC',
            'netAE',
            ...(options.shareWeight ? [] : ['netAE_cycle']),
          ],
          limit: options.clip,
          before: (run) => evaluated(run, true),
          after: (run) => evaluated(run, false),
        },
      );
      return { teacher: ofTeacher, ...ofStudent };
    } finally {
      for (const each of [teacher, model]) for (const weight of each.state().values()) weight.dispose();
    }
  },
});
