// What methods are given beside the hooks: passes that differ, gradients on request, snapshots, streams, reduction.
import * as tf from '@tensorflow/tfjs';
import { batches } from '@g2d/datasets';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { toyDataset, toyModel, type Modality } from '../test/toy.js';
import { extractFeatures } from './extract-features.js';
import { frozenTeachers } from './frozen-teachers.js';
import type { EpochRecord, LossTerms, Method, Outputs, Snapshot, Step, Training } from '@g2d/core';
import { modalityPrioritization } from '@g2d/methods';
import { readState } from './model-state.js';
import { train, type TrainOptions } from './train.js';
import type { TrainingState } from './training-state.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const data = toyDataset('train', 60, 1);
const BOTH = ['loud', 'quiet'] as const;
const optimizer = { learningRate: 0.1, momentum: 0.9, weightDecay: 1e-4 };

const run = (method: Partial<Method<Modality>>, changes: Partial<TrainOptions<Modality>> = {}) => {
  const model = toyModel(BOTH, 0);
  const done = train({
    model,
    methods: [{ name: 'probe', ...method }],
    epochs: 1,
    optimizer,
    seed: 7,
    batches: (epoch, startBatch) => batches(data, { batchSize: 20, epoch, startBatch, shuffle: true }),
    ...changes,
  });
  return { model, done };
};

/** The sum of logits, as what is differentiated. */
const sumOf = (outputs: Outputs<Modality>): { loss: LossTerms; outputs: Outputs<Modality> } => ({
  loss: { total: tf.sum(outputs.logits) as tf.Scalar },
  outputs,
});

/** Looks at the first step. */
async function inFirstStep(look: (step: Step<Modality>) => void): Promise<void> {
  let looked = false;
  const { done } = run({
    plan: (step) => {
      if (!looked) tf.tidy(() => look(step));
      looked = true;
      return {};
    },
  });
  await done;
  expect(looked).toBe(true);
}

describe('step.forward', () => {
  it('runs on inputs of 0 for some modalities, and without some', () =>
    inFirstStep((step) => {
      const { loud, quiet } = step.batch.inputs;
      const zeroed = step.forward({ zeroInputs: ['loud'] });
      const inputs = { loud: tf.zerosLike(loud), quiet };
      expectTensorClose(zeroed.logits, step.model.forward({ inputs }, { training: true }).logits, {
        atol: 0,
      });
      // The toy encoder has a bias of 0, so features of no input and of an input of 0 agree; another modality's do not.
      const without = step.forward({ modalities: ['quiet'] });
      expect(tf.max(tf.abs(without.features.loud)).dataSync()[0]).toBe(0);
      expectTensorClose(without.features.quiet, zeroed.features.quiet, { atol: 0 });
    }));

  it('gives constants where gradients are not wanted', () =>
    inFirstStep((step) => {
      const constant = () => {
        const { logits } = step.forward({ gradients: false });
        const { loss, outputs } = sumOf(step.forward());
        return { loss: { total: tf.add(loss.total, tf.mul(tf.sum(logits), 100)) as tf.Scalar }, outputs };
      };
      const plain = () => sumOf(step.forward());
      const [first, second] = [step.valueAndGrads(constant), step.valueAndGrads(plain)];
      first.gradients.forEach(({ tensor }, i) =>
        expectTensorClose(tensor!, second.gradients[i]!.tensor!, { atol: 0 }),
      );
    }));
});

describe('step.valueAndGrads', () => {
  it('gives null for variables that were not asked for, and numbers alone where none was', () =>
    inFirstStep((step) => {
      const run = () => sumOf(step.forward());
      const [first, ...others] = step.model.parameters;
      const { gradients } = step.valueAndGrads(run, (parameter) => parameter === first);
      expect(gradients.map(({ parameter }) => parameter)).toEqual(step.model.parameters);
      expect(gradients.map(({ tensor }) => tensor !== null)).toEqual([true, ...others.map(() => false)]);
      const none = step.valueAndGrads(run, () => false);
      expect(none.gradients.every(({ tensor }) => tensor === null)).toBe(true);
      expect(none.losses['total']).toBeCloseTo(step.valueAndGrads(run).losses['total']!, 5);
    }));
});

describe('training.snapshot and restore', () => {
  it('go back with everything, or with one modality', async () => {
    let saved: Snapshot | undefined;
    const states: Record<string, ReturnType<typeof readState>> = {};
    const { done } = run(
      {
        epoch({ epoch }, training) {
          if (epoch === 1) {
            saved = training.snapshot();
            states['first'] = readState(training.model);
          } else {
            if (epoch === 2) states['before'] = readState(training.model);
            training.restore(saved as Snapshot, epoch === 2 ? 'quiet' : undefined);
            states[epoch === 2 ? 'one' : 'all'] = readState(training.model);
          }
        },
      },
      { epochs: 3 },
    );
    await done;
    expect(states['all']).toEqual(states['first']);
    expect(states['one']).not.toEqual(states['first']);
    const own = (name: string): boolean => name.startsWith('quiet/') || name.startsWith('head/quiet/');
    for (const name of Object.keys(states['first']!)) {
      const source = own(name) ? 'first' : 'before';
      expect(states['one']![name], name).toEqual(states[source]![name]);
    }
  });

  it('go back with the momentum: the next epoch is the same again', async () => {
    const weights: unknown[] = [];
    let saved: Snapshot | undefined;
    const { done } = run(
      {
        epoch({ epoch }, training) {
          if (epoch === 1) saved = training.snapshot();
          else weights.push(readState(training.model));
          if (epoch === 2) training.restore(saved as Snapshot);
        },
      },
      // Every epoch has the same batches.
      { epochs: 3, batches: () => batches(data, { batchSize: 20 }) },
    );
    await done;
    expect(weights[1]).toEqual(weights[0]);
  });
});

describe('withheld samples', () => {
  const left = ['toy/train/3', 'toy/train/40'];

  it('are in no step, also of a resumed training, and in no batch that a method asks for', async () => {
    for (const from of [undefined, 'resumed']) {
      const seen: string[] = [];
      let saved: TrainingState | undefined;
      const method: Partial<Method<Modality, { ids: string[] }>> = {
        init: () => ({ ids: left }),
        withheld: ({ ids }) => ids,
        plan: ({ batch }) => (seen.push(...batch.ids), {}),
        async epoch(_, { batches: of }) {
          const asked: string[] = [];
          for await (const batch of of(1)) {
            asked.push(...batch.ids);
            tf.dispose(batch);
          }
          expect(asked).toHaveLength(58);
          expect(asked).not.toContain(left[0]);
        },
      };
      const changes = {
        epochs: 2,
        afterStep: (capture: () => TrainingState) => {
          saved ??= capture();
          return from && seen.length < 25 ? ('stop' as const) : undefined;
        },
      };
      await run(method as Method<Modality>, changes).done;
      if (from) {
        seen.length = 0;
        await run(method as Method<Modality>, { epochs: 2, resume: saved }).done;
      }
      expect(seen.length).toBeGreaterThan(58);
      expect(seen.filter((id) => left.includes(id))).toEqual([]);
    }
  });

  it('may be all of a batch, which is left out then', async () => {
    const log: EpochRecord[] = [];
    let steps = 0;
    await run(
      {
        init: () => ({}),
        withheld: () => data.ids.slice(0, 20),
        plan: () => (steps++, {}),
      },
      { batches: () => batches(data, { batchSize: 20 }), onEpoch: (record) => void log.push(record) },
    ).done;
    expect([steps, log.length]).toEqual([2, 1]);
  });
});

describe('training.samples and probe', () => {
  const everySample =
    (asked?: (readonly string[] | undefined)[]) => (_: unknown, ids?: readonly string[]) => (
      asked?.push(ids),
      batches(data, { batchSize: 7 })
    );

  it('give a few samples as one batch, and look at it as a step does', async () => {
    const asked: (readonly string[] | undefined)[] = [];
    let found: Record<string, unknown> = {};
    const { model, done } = run(
      {
        async init(training) {
          const ids = ['toy/train/50', 'toy/train/2', 'toy/train/4'];
          const batch = await training.samples(ids);
          const look = { training: true };
          const state = readState(training.model);
          const losses = training.probe(
            batch,
            (probe) => {
              const sum = () => sumOf(probe.forward());
              const { losses, gradients } = probe.valueAndGrads(sum);
              return {
                total: losses['total']!,
                gradients: gradients.length,
                loss: probe.taskLoss(probe.forward().logits).dataSync()[0]!,
              };
            },
            look,
          );
          found = { ids: batch.ids, labels: [...batch.labels.dataSync()], ...losses };
          expect(readState(training.model)).toEqual(state);
          tf.dispose(batch);
          await expect(training.samples(['toy/train/2', 'nobody'])).rejects.toThrow(/sample "nobody", but/);
        },
      },
      { everySample: everySample(asked) },
    );
    await done;
    expect(found).toMatchObject({ ids: ['toy/train/2', 'toy/train/4', 'toy/train/50'], labels: [2, 1, 2] });
    expect(found['total']).toEqual(expect.any(Number));
    expect(found['gradients']).toBe(model.parameters.length);
    expect(found['loss']).toBeGreaterThan(0);
    expect(asked[0]).toEqual(['toy/train/50', 'toy/train/2', 'toy/train/4']);
  });

  it('looks at nothing where no sample has a modality', async () => {
    let looked = true;
    await run(
      {
        async epoch(_, training) {
          const batch = await training.samples(['toy/train/2']);
          const absent = { loud: tf.tensor1d([0]), quiet: tf.tensor1d([0]) };
          looked = training.probe({ ...batch, present: absent }, () => true) ?? false;
          tf.dispose([batch, absent]);
        },
      },
      { everySample: everySample() },
    ).done;
    expect(looked).toBe(false);
  });

  it('multiplies the Hessian with a direction', () =>
    inFirstStep((step) => {
      // ½ Σ z² of the bias of a head, of which z has a half: B / 4 for each of both, across too.
      const loss = () => tf.mul(tf.sum(tf.square(step.forward().logits)), 0.5) as tf.Scalar;
      const { gradients } = step.valueAndGrads(() => sumOf(step.forward()));
      const direction = gradients.map((gradient) => ({
        ...gradient,
        tensor: gradient.parameter.name === 'head/loud/bias' ? tf.tensor1d([1, 0, 0]) : null,
      }));
      const product = step.hessianProduct(loss, direction);
      expect(product.map(({ name }) => name)).toEqual(gradients.map(({ name }) => name));
      for (const name of ['head/loud/bias', 'head/quiet/bias'])
        expectTensorClose(product.find(({ parameter }) => parameter.name === name)!.tensor!, [5, 0, 0], {
          atol: 1e-4,
        });
    }));
});

describe('training.random', () => {
  it('is one stream for each name and seed', async () => {
    const drawn: number[][] = [];
    for (const seed of [7, 7, 8]) {
      const numbers: number[] = [];
      const { done } = run({ plan: ({ random }) => (numbers.push(random('a').uniform()), {}) }, { seed });
      await done;
      expect(new Set(numbers).size).toBe(3);
      drawn.push(numbers);
    }
    expect(drawn[0]).toEqual(drawn[1]);
    expect(drawn[0]).not.toEqual(drawn[2]);
  });
});

describe('allReduce', () => {
  const identity = { processes: 1, sum: () => {} };
  /** Another process has the very same batches. */
  const twin = {
    processes: 2,
    sum: (values: Float32Array | Float64Array) => void values.forEach((v, i) => (values[i] = 2 * v)),
  };

  it('gives two processes with the same batches the run of one, bit for bit, with SMP too', async () => {
    const teachers = frozenTeachers({ loud: toyModel(['loud'], 1), quiet: toyModel(['quiet'], 1) });
    const states = await Promise.all(
      [identity, twin].map(async (allReduce) => {
        const smp = modalityPrioritization<Modality>({
          phaseEpochs: [1, 1],
          scope: 'encoder',
          ranking: 'epoch',
        });
        const log: EpochRecord[] = [];
        const { model, done } = run(smp, {
          allReduce,
          epochs: 2,
          teachers,
          onEpoch: (record) => void log.push(record),
        });
        await done;
        return { state: readState(model), coefficients: log.map((record) => record['coefficients']) };
      }),
    );
    expect(states[1]).toEqual(states[0]);
  });

  it('comes before any method sees the gradients', async () => {
    const ratio: number[] = [];
    let alone: tf.Tensor | undefined;
    for (const factor of [1, 3]) {
      // Another process, with as many samples and with gradients of its own.
      const sum = (values: Float32Array | Float64Array): void =>
        values.forEach((v, i) => (values[i] = (values instanceof Float32Array ? factor : 2) * v));
      const { done } = run(
        {
          edit(gradients) {
            const now = tf.keep(tf.clone(gradients[0]!.tensor!));
            if (alone && ratio.length === 0) ratio.push(...tf.div(now, alone).dataSync());
            alone ??= now;
            return gradients;
          },
        },
        { allReduce: { processes: 2, sum } },
      );
      await done;
      if (factor === 1) ratio.length = 0;
    }
    expect(ratio.every((value) => Math.abs(value - 3) < 1e-4 || Number.isNaN(value))).toBe(true);
    expect(ratio.some((value) => Math.abs(value - 3) < 1e-4)).toBe(true);
  });
});

describe('training.features', () => {
  const unseen = toyDataset('validation', 10, 2);
  /** What a method finds after an epoch. */
  async function found(others: Partial<TrainOptions<Modality>>) {
    let result: Readonly<Record<string, Awaited<ReturnType<Training<Modality>['features']>>>> = {};
    const { model, done } = run(
      {
        needs: { validation: 'features' },
        async epoch(_, training) {
          const before = tf.memory().numTensors;
          result = {
            train: await training.features('train'),
            validation: await training.features('validation'),
          };
          expect(tf.memory().numTensors).toBe(before);
        },
      },
      {
        everySample: () => batches(data, { batchSize: 25 }),
        everyValidationSample: () => batches(unseen, { batchSize: 4 }),
        ...others,
      },
    );
    await done;
    return { model, result };
  }

  it('are those of the encoders, of each sample in order, in inference mode', async () => {
    const { model, result } = await found({});
    const expected = await extractFeatures(model, unseen, { batchSize: 10 });
    for (const m of BOTH) {
      expect(result['train']![m].rows).toHaveLength(60);
      const { rows, labels } = result['validation']![m];
      expect(labels).toEqual(Array.from({ length: 10 }, (_, i) => i % 3));
      rows.forEach((row, i) => expectTensorClose(tf.tensor1d(row), [...expected[m][i]!], { atol: 1e-6 }));
    }
  });

  it('leave out samples that lack the modality', async () => {
    const absent = async function* () {
      for await (const batch of batches(unseen, { batchSize: 5 }))
        yield { ...batch, present: { quiet: tf.tensor1d([0, 1, 0, 0, 1]) } };
    };
    const { result } = await found({ everyValidationSample: absent as never });
    expect(result['validation']!.loud.rows).toHaveLength(10);
    expect(result['validation']!.quiet.labels).toEqual([1, 1, 0, 0]);
  });

  it('need the split, and say so before the training', async () => {
    await expect(found({ everyValidationSample: undefined })).rejects.toThrow(
      'The method "probe" looks at the samples of the validation split; pass `everyValidationSample`.',
    );
    await expect(found({ everySample: undefined })).rejects.toThrow(/pass `everySample`/);
    const undeclared = run({ epoch: async (_, training) => void (await training.features('validation')) });
    await expect(undeclared.done).rejects.toThrow(/pass `everyValidationSample`/);
  });
});

describe('epoch', () => {
  it('ends the training, and the record says so', async () => {
    const log: EpochRecord[] = [];
    const { done } = run(
      { epoch: ({ epoch }) => (epoch === 2 ? 'stop' : undefined) },
      { epochs: 5, onEpoch: (record) => void log.push(record) },
    );
    expect(await done).toMatchObject({ status: 'finished' });
    expect(log.map(({ epoch, stopped }) => [epoch, stopped])).toEqual([
      [1, undefined],
      [2, true],
    ]);
  });
});

describe('forward', () => {
  it('stands in for the model in every evaluation', async () => {
    const constant: Partial<Method<Modality>> = {
      forward: (pass) => {
        if (pass.training) return pass.forward();
        const { ids } = pass.batch;
        const logits = tf.tile<tf.Tensor2D>(tf.tensor2d([[0, 0, 1]]), [ids.length, 1]);
        return { ...pass.forward(), logits, unimodalLogits: { loud: logits, quiet: logits } };
      },
    };
    const seen: number[] = [];
    const { done } = run(constant, {
      evaluate: async (_, predict) => {
        for await (const batch of batches(data, { batchSize: 6 })) {
          seen.push(...predict(batch).logits.argMax(1).dataSync());
          tf.dispose(batch);
        }
        return undefined;
      },
    });
    await done;
    expect(new Set(seen)).toEqual(new Set([2]));
  });
});
