import { dlmg, fittedWeights } from '@g2d/methods';
import type { Batch, RandomStream } from '@g2d/core';
import { randomStream } from '@g2d/tensor-ops';
import { z } from 'zod';
import { list, object, oneOf, text, wrong } from '../../strict-json.js';
import {
  atLeast0,
  count,
  defineDriver,
  epoch,
  trainStep,
  type CommonCase,
  type Tree,
} from '../method-case.js';
import { logitsTree, withRun, type MethodRun } from '../method-run.js';

/** What `dlmg` remembers. */
interface State {
  readonly weights: { readonly classification: number; readonly matching: number };
  readonly rate: number;
  readonly update: {
    readonly gradient: number;
    readonly losses: { readonly classification: number; readonly matching: number };
  } | null;
}

const BETWEEN = 'a number from 0 to 1';
const share = z.number(BETWEEN).min(0, BETWEEN).max(1, BETWEEN);

export const dlmgDriver = defineDriver({
  method: 'dlmg',
  options: z.discriminatedUnion('schedule', [
    object({ schedule: z.literal('fitted') }),
    object({
      schedule: z.literal('learnable'),
      start: object({ classification: atLeast0, matching: atLeast0 }),
      learningRate: atLeast0,
      floor: share,
      ceiling: share,
      halvedEvery: count,
    }),
  ]),
  steps: z.discriminatedUnion('do', [
    object({
      do: z.literal('weights'),
      epoch,
      batch: text.optional(),
      rows: count.optional(),
      mode: oneOf('train', 'eval').optional(),
    }),
    object(trainStep),
    object({ do: z.literal('eval'), epoch: epoch.optional(), batches: list(text) }),
  ]),
  run({ options, ...given }) {
    const events = given.steps.flatMap((entry, i) => (entry.do === 'weights' ? [{ ...entry, i }] : []));
    const [first] = events;
    const refuse = (i: number, key: string, expected: string): never =>
      wrong(
        given.id,
        ['steps', i, key],
        expected,
        (given.steps[i] as Record<string, unknown> | undefined)?.[key],
      );
    if (first?.i !== 0) return refuse(0, 'do', '"weights" before anything else');
    const learns = options.schedule === 'learnable';
    const rows = first.rows ?? 0;
    if (learns)
      events.forEach((event) => {
        const { i } = event;
        const labels = given.batches[event.batch ?? ''];
        if (!labels) refuse(i, 'batch', 'one of the batches');
        if (!event.rows || event.rows !== rows || event.rows > given.batch)
          refuse(i, 'rows', `a whole number from 1 to ${given.batch}, the same in every event`);
        const mode = event === first ? 'train' : 'eval';
        if (event.mode !== mode) refuse(i, 'mode', `"${mode}", in the first event and no other "train"`);
        const halves = event.epoch > 0 && event.epoch % options.halvedEvery === 0;
        if (event === first ? halves : event.epoch === 0)
          refuse(i, 'epoch', event === first ? '0, or one in which nothing is halved' : 'above 0');
      });
    const method = dlmg<string>({
      schedule: options.schedule,
      reference: 'official',
      ...(options.schedule === 'learnable' && {
        start: options.start,
        learning: {
          rate: options.learningRate,
          range: [options.floor, options.ceiling],
          halvedEvery: options.halvedEvery,
          held: rows,
          used: rows,
          parameter: firstParameter(given),
        },
      }),
    });
    let run: MethodRun | undefined;
    let held = first.batch ?? '';
    // The samples of the event, and others that are never drawn: the training has to keep some.
    const everySample = async function* (): AsyncGenerator<Batch<string>> {
      for (const of of ['held', 'rest']) {
        const batch = run!.batch(held);
        yield { ...batch, ids: batch.ids.map((_, i) => `${of}/${i}`) };
      }
    };
    const epochs = 1 + Math.max(...given.steps.map((entry) => entry.epoch ?? 0));
    return withRun(given, method, { epochs, everySample, random: inOrder }, async (begun) => {
      run = begun;
      await begun.begin();
      const steps: Tree[] = [];
      let present = first.epoch;
      for (const [i, entry] of given.steps.entries()) {
        if (entry.do === 'eval') {
          steps.push({ logits: entry.batches.map((tag) => begun.predict(tag, logitsTree)) });
          continue;
        }
        if (entry.do === 'weights') {
          present = entry.epoch;
          if (!learns) {
            steps.push({ weights: { ...fittedWeights(entry.epoch + 1) } });
            continue;
          }
          held = entry.batch as string;
          if (i > 0) await begun.afterEpoch({ epoch: entry.epoch });
          const { weights, rate, update } = begun.state as State;
          steps.push({
            mode: entry.mode,
            losses: { ...update?.losses },
            weightGradient: update?.gradient,
            learningRate: rate,
            weights: { ...weights },
          });
          continue;
        }
        if (entry.epoch !== present) refuse(i, 'epoch', `${present}, as the weights before it`);
        begun.training.optimizer.learningRate = entry.learningRate;
        const record = await begun.train(
          entry,
          entry.epoch + 1,
          ({ losses: { total, student, matching }, outputs }) => ({
            losses: { total, classification: student, matching },
            logits: logitsTree(outputs),
          }),
        );
        const { after } = begun.updates[0]!;
        steps.push({
          ...record,
          gradNorms: begun.norms(after, [...begun.encoderGroups, 'fusion']),
          gradients: begun.gradients(after),
        });
      }
      return { steps };
    });
  },
});

/** Nothing in a case is random. */
const inOrder = (): RandomStream => ({
  ...randomStream(0),
  permutation: (length) => Uint32Array.from({ length }, (_, i) => i),
});

/** Our name of the tensor that the case lists first: the one that the official code looks at. */
function firstParameter({ model }: CommonCase): string {
  const [[tensor] = ['']] = model.tensors;
  const group = tensor.replace(/\.\w+$/, '');
  const isWeight = tensor.endsWith('.weight');
  for (const [modality, list] of Object.entries(model.encoders))
    for (const [i, layer] of list.entries()) {
      if (!('name' in layer) || layer.name !== group) continue;
      const [weight, bias] = layer.layer === 'batchnorm' ? ['gamma', 'beta'] : ['kernel', 'bias'];
      return `${modality}/${layer.layer}${i}/${isWeight ? weight : bias}`;
    }
  return `head/${group.replace('fusion.', '')}/${isWeight ? 'kernel' : 'bias'}`;
}
