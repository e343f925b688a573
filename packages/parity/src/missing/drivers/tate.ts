import * as tf from '@tensorflow/tfjs-core';
import { perModality, type Batch, type Outputs } from '@g2d/core';
import { tateEncoder } from '@g2d/encoders';
import { MultimodalModel } from '@g2d/fusion';
import { tate } from '@g2d/methods';
import { frozenTeachers } from '@g2d/trainer';
import { z } from 'zod';
import { dot } from '../../numbers.js';
import { tensorValues } from '../../recipe.js';
import { integer, list, number, object, oneOf, text, tuple } from '../../strict-json.js';
import { atLeast0, count, epoch, type Tree } from '../../methods/method-case.js';
import { numbers } from '../../methods/method-run.js';
import { TrainerRun } from '../../trainer-run.js';
import { hashedTensor, padded } from '../case-tensors.js';
import { HeldTensors, type CaseValues } from '../held-tensors.js';
import { batches, defineSystemDriver, hashedModel, inputs, lengths, seed } from '../missing-case.js';
import { tatePlaces } from '../tate-places.js';
import { withZeroGradients } from '../zero-gradients.js';

type Encoded = Outputs<string> & { readonly encoded: tf.Tensor3D };

const tag = list(integer({ min: 0, max: 1 }));

export const tateDriver = defineSystemDriver({
  system: 'tate',
  keys: {
    seed,
    task: oneOf('classification'),
    classes: count,
    batch: count,
    inputs,
    batches: batches(object({ labels: list(epoch), flags: list(integer({ min: -1 })), lengths })),
    /** Names of what is missing, joined by "and". */
    flags: z.record(z.string(), text, 'an object'),
    tags: z.record(z.string(), tag, 'an object'),
    releasedTag: tag,
    options: object({
      code: text,
      width: count,
      heads: count,
      dropout: z.literal(0, '0'),
      normEpsilon: z.literal(1e-8, '1e-8'),
      maskValue: z.literal(-4294967295, '-4294967295'),
      weights: object({
        task: z.literal(1, '1'),
        l2: atLeast0,
        guidance: atLeast0,
        decoding: atLeast0,
        tag: atLeast0,
      }),
      l2Scale: z.literal(1e-4, '0.0001'),
      klFloor: z.literal(1e-7, '1e-7'),
      learningRate: atLeast0,
      betas: tuple(number(), number()),
      adamEpsilon: atLeast0,
      adam: text,
      kernels: text,
    }),
    zeroGradients: list(object({ tensor: text, rows: list(epoch) })),
    steps: list(object({ do: z.literal('train'), batch: text })),
    models: object({ teacher: hashedModel, model: hashedModel }),
  },
  async run(given) {
    const { classes, options, releasedTag } = given;
    const modalities = Object.keys(given.inputs);
    const { width, heads, weights } = options;
    const methodOf = (constantTag?: readonly string[]) =>
      tate<string>({
        width,
        heads,
        dropout: 0,
        l2Weight: weights.l2,
        guideWeight: weights.guidance,
        decodingWeight: weights.decoding,
        tagWeight: weights.tag,
        ...(constantTag && { tags: 'constant', constantTag: [...constantTag] }),
      });
    const shapeOf = (m: string): [number, number] => given.inputs[m]!.shape.slice(1) as [number, number];
    const modelOf = (method: ReturnType<typeof methodOf>, role: 'teacher' | 'model') => {
      const encoders = perModality(modalities, (m) =>
        tateEncoder({ name: m, inputShape: shapeOf(m), seed: 0, width, heads, dropout: 0 }),
      );
      const widths = perModality(modalities, (m) => shapeOf(m)[0] * width);
      const model = new MultimodalModel<string>({
        encoders,
        fusion: method.fusion!({ widths, classes, seed: 0 }),
      });
      const placeOf = tatePlaces(model);
      const held = new HeldTensors(given, given.models[role], placeOf);
      held.initialize(given.models[role]);
      return { model, held, placeOf };
    };
    const batchOf = (name: string): Batch<string> => {
      const { labels, flags, lengths: real } = given.batches[name]!;
      const missing = flags.map((flag) => given.flags[String(flag)]!.split(' and '));
      return tf.tidy(() => ({
        inputs: perModality(modalities, (m) =>
          padded(hashedTensor({ seed: given.seed, name: `${name}/${m}` }, given.inputs[m]!), real[m]!),
        ),
        labels: tf.tensor1d(labels, 'int32'),
        ids: labels.map((_, i) => `${name}/${i}`),
        present: perModality(modalities, (m) =>
          tf.tensor1d(missing.map((names) => Number(!names.includes(m)))),
        ),
      })) as Batch<string>;
    };
    const along = (name: string, x: tf.Tensor): number =>
      dot(x.dataSync(), tensorValues({ seed: given.seed, name }, x.size));

    const method = methodOf();
    const released = methodOf(modalities.filter((_, i) => releasedTag[i + 1] === 1));
    const teacher = modelOf(method, 'teacher');
    const student = modelOf(method, 'model');
    const quirk = modelOf(released, 'model');
    const start = student.held.values();
    const teachers = frozenTeachers<string>({}, { full: teacher.model });
    const common = {
      teachers,
      epochs: 1,
      optimizer: {
        type: 'adam' as const,
        learningRate: options.learningRate,
        betas: options.betas as [number, number],
        epsilon: options.adamEpsilon,
        epsilonAt: 'uncorrected' as const,
      },
      read: (gradients: Parameters<typeof student.held.gradients>[0]) => student.held.gradients(gradients),
    };
    const run = new TrainerRun<CaseValues>({
      ...common,
      method: withZeroGradients(method, given.zeroGradients, student.placeOf),
      model: student.model,
    });
    const other = new TrainerRun<CaseValues>({ ...common, method: released, model: quirk.model });
    const lossesOf = ({ student: task, ...parts }: Readonly<Record<string, number>>): Tree => ({
      task,
      ...parts,
    });
    const first = given.steps[0]!.batch;
    const forward = (of: TrainerRun<CaseValues>, by: typeof method): { readonly [key: string]: Tree } =>
      of.look(batchOf(first), (step) => {
        const outputs = by.forward!(step, undefined) as Encoded;
        const losses = by.loss!(outputs, step, undefined);
        return {
          logits: numbers(outputs.logits),
          losses: lossesOf(
            Object.fromEntries(Object.entries(losses).map(([part, term]) => [part, term.dataSync()[0]!])),
          ),
          encodingProj: along('proj/encoding', outputs.encoded),
        };
      });
    try {
      await run.begin();
      await other.begin();
      const teacherEncodingProj = Object.fromEntries(
        Object.keys(given.batches).map((name): [string, number] => [
          name,
          tf.tidy(() => {
            const { inputs: complete } = batchOf(name);
            const { encoded } = teacher.model.forward({ inputs: complete }, { training: false }) as Encoded;
            return along(`proj/encoding/${name}`, encoded) as never;
          }) as number,
        ]),
      );
      const before = forward(run, method);
      const releasedTags = forward(other, released);
      const steps: Tree[] = [];
      let gradients: Tree;
      for (const [batchIndex, { batch }] of given.steps.entries()) {
        steps.push(
          await run.step({ batch: batchOf(batch), epoch: 1, batchIndex }, ({ losses, outputs }) => ({
            losses: lossesOf(losses),
            logits: numbers(outputs.logits),
          })),
        );
        gradients ??= student.held.gradientTable(run.updates[0]!.after);
      }
      const after = tf.tidy(() => numbers(run.predictions(batchOf(first)).logits) as never) as Tree;
      return {
        teacherEncodingProj,
        ...before,
        gradients,
        steps,
        parameters: student.held.parameterTable(start),
        after: { logits: after },
        releasedTags,
      };
    } finally {
      run.dispose();
      other.dispose();
      teachers.dispose();
      for (const { model } of [teacher, student, quirk])
        for (const weight of model.state().values()) weight.dispose();
    }
  },
});
