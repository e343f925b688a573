import * as tf from '@tensorflow/tfjs-core';
import { fromSamples, type Batch } from '@g2d/datasets';
import { perModality } from '@g2d/core';
import type { Processes, Sent } from '@g2d/runs';
import { evaluate, evaluateRegression, train, type Predictor, type SplitMetrics } from '@g2d/trainer';
import { recordOperations, type RecordedStage } from './operation-times.js';
import type { StepDataset } from './step-datasets.js';
import { methodsOf } from './step-methods.js';
import { buildModel, copyOf, randomBatch, teachersOf } from './step-parts.js';
import { shortened, type MeasuredStage } from './step-stages.js';
import type { StepSetup } from './step-setup.js';
import { meanTimes, stepTimes, type StepTimes } from './step-times.js';

/** The paper's settings of SGD, but for the rate: no time depends on it, and on random data MMIN diverges with the paper's 10⁻³. */
const OPTIMIZER = { learningRate: 1e-9, momentum: 0.9, weightDecay: 1e-4 } as const;

/** What a measurement found. */
export interface StepMeasurement {
  /** Of a method with stages: their means, each with its share of a training. */
  readonly ms: StepTimes;
  /** Of a method with several stages, in their order. */
  readonly stages?: readonly (MeasuredStage & { readonly ms: StepTimes })[];
  /** Largest resident memory of the whole process so far, in MB of 2²⁰ bytes. */
  readonly peakRssMB: number;
  /** Of processes that train together: what a step adds up, by collective operations and bytes. */
  readonly sent?: Sent;
  /** What ran in each timed step, if that was asked for. */
  readonly recorded?: readonly RecordedStage[];
}

interface MeasureOptions {
  /** That train together: the batch is the part of a larger one that this one has read. */
  readonly processes?: Pick<Processes, 'allReduce' | 'sent'> | undefined;
  /** Records every operation of the timed steps. On the backend `tensorflow` and its CPU alone. Default false. */
  readonly operations?: boolean;
}

/** How many steps a measurement has: those of each stage, and those before them. */
export function stepCount(setup: StepSetup): number {
  const { stages } = shortened(methodsOf(setup), Object.keys(setup.dataset.modalities));
  return stages.length * (setup.warmup + setup.steps);
}

/**
 * Times the steps of a real `train()` on one random batch, as long as the loop takes from one batch to the next: teachers,
 * forward and backward pass, the method, the optimizer, accuracies, freeing. Each stage of a method has its own steps.
 *
 * The batch's tensors lie ready: loading data is not a part of it, nor is evaluation, which some methods need after every epoch.
 *
 * @param onStep After each step, those of the warm-up too.
 */
export async function measureStep(
  setup: StepSetup,
  onStep: () => void,
  { processes, operations = false }: MeasureOptions = {},
): Promise<StepMeasurement> {
  const { dataset, batch: size, precision, steps, warmup } = setup;
  const modalities = Object.keys(dataset.modalities);
  const { methods, stages } = shortened(methodsOf(setup), modalities);
  const fusion = methods.find((method) => method.fusion)?.fusion;
  const student = buildModel(dataset, modalities, { seed: 0, precision, ...(fusion && { fusion }) });
  const batch = randomBatch(dataset, size);
  const output = methods.find(({ needs }) => needs?.output)?.needs?.output;
  const { teachers, dispose } = teachersOf(setup, batch, student.widths);
  const milliseconds = stages.map((): number[] => []);
  const sent = { sums: 0, bytes: 0 };
  const { allReduce, sent: sentSoFar = () => sent } = processes ?? {};
  const part = allReduce && { part: { index: allReduce.rank, of: allReduce.processes } };
  const recorded = stages.map(({ share }) => ({ share, steps: [] as RecordedStage['steps'][number][] }));
  let stopRecording: ReturnType<typeof recordOperations> = () => [];
  let before: Sent | undefined;
  let started = 0;
  let stage = 0;
  async function* batches(epoch: number): AsyncGenerator<Batch<string>> {
    for (let step = 0; step < warmup + steps; step++) {
      const next = copyOf(batch);
      stage = epoch - 1;
      before = step < warmup ? undefined : sentSoFar();
      if (operations && step >= warmup) stopRecording = recordOperations();
      started = performance.now();
      yield { ...next, ...part };
    }
  }
  async function* everySample(): AsyncGenerator<Batch<string>> {
    yield copyOf(batch);
  }
  try {
    await train({
      model: student.model,
      methods,
      ...(teachers && { teachers }),
      ...(allReduce && { allReduce }),
      epochs: 1,
      task: dataset.task,
      ...(output && { loss: { output } }),
      optimizer: OPTIMIZER,
      batchesPerEpoch: warmup + steps,
      batches,
      everySample,
      everyValidationSample: everySample,
      afterStep: () => {
        const ms = performance.now() - started;
        milliseconds[stage]?.push(ms);
        const calls = stopRecording();
        if (before) {
          recorded[stage]?.steps.push({ ms, calls });
          const now = sentSoFar();
          sent.sums += now.sums - before.sums;
          sent.bytes += now.bytes - before.bytes;
        }
        onStep();
      },
      ...(methods.some(({ needs }) => needs?.validation) && {
        evaluate: async (_epoch: number, predict: Predictor<string>) => ({
          validation: await scoresOf(predict, dataset, batch),
        }),
      }),
    });
    const measured = stages.map((own, i) => ({
      ...own,
      ms: stepTimes((milliseconds[i] ?? []).slice(warmup)),
    }));
    return {
      ms: meanTimes(measured),
      ...(measured.length > 1 && { stages: measured }),
      peakRssMB: process.resourceUsage().maxRSS / 1024,
      ...(processes && { sent: perStep(sent, steps * stages.length) }),
      ...(operations && { recorded }),
    };
  } finally {
    stopRecording();
    dispose();
    student.dispose();
    tf.dispose(batch);
  }
}

const perStep = ({ sums, bytes }: Sent, steps: number): Sent => ({
  sums: sums / steps,
  bytes: bytes / steps,
});

/** What the model comes to on the batch, as on a validation part. */
async function scoresOf(
  predict: Predictor<string>,
  { task, classes, modalities }: StepDataset,
  { inputs, labels, ids }: Batch<string>,
): Promise<SplitMetrics> {
  const names = Object.keys(modalities);
  const values = perModality(names, (name) => (inputs[name] as tf.Tensor).dataSync<'float32'>());
  const targets = labels.dataSync();
  const samples = ids.map((id, i) => ({
    id,
    label: targets[i] as number,
    inputs: perModality(names, (name) => {
      const size = values[name]!.length / ids.length;
      return values[name]!.slice(i * size, (i + 1) * size);
    }),
  }));
  const data = fromSamples({
    name: 'random',
    split: 'validation',
    task,
    classNames: task === 'regression' ? [] : Array.from({ length: classes }, (_, i) => String(i)),
    shapes: perModality(names, (name) => modalities[name]?.shape ?? []),
    samples,
  });
  const { metrics } = await (task === 'regression' ? evaluateRegression : evaluate)(predict, data);
  return metrics;
}
