import type { MultimodalDataset } from '@g2d/core';
import { batches, randomAffineCrop, type Augmentation, type BatchesOptions } from '@g2d/datasets';
import type { TrainOptions } from '@g2d/trainer';
import type { RunConfig } from './config-schema.js';
import { defined } from './defined.js';
import type { OpenedRun } from './open-run.js';
import { samplesOf } from './samples-of.js';
import { trainSettings } from './train-settings.js';

/** Samples at a time where a method looks at all of them; it changes speed and memory only. */
const EVERY_SAMPLE_BATCH = 250;

/**
 * What a run is trained with, and what predicts with a state of it; nothing of it is evaluated. Starts the teachers.
 *
 * @param options `note`: told of samples that are left out. `teacherOutputs`: of a run that is not trained, for which nothing is stored.
 */
export async function trainingOptions(
  run: OpenedRun,
  {
    note = () => {},
    teacherOutputs = run.plan.config.teacherOutputs,
  }: {
    readonly note?: (line: string) => void;
    readonly teacherOutputs?: RunConfig['teacherOutputs'];
  } = {},
): Promise<TrainOptions<string> & { readonly batchesPerEpoch: number }> {
  const { plan, data, facts, processes } = run;
  const { config } = plan;
  const { workers, prefetch, dropLast, transform, augment, onError } = config.data;
  const modalities = Object.keys(facts.shapes);
  const reading = {
    workers,
    ...(prefetch !== undefined && { prefetch }),
    onError,
    onDrop: ({ id, error }) =>
      note(`Sample "${id}" is left out: ${error instanceof Error ? error.message : String(error)}`),
  } satisfies Partial<BatchesOptions<string, string>>;
  const every = (dataset: MultimodalDataset<string>) => (names: readonly string[], ids?: readonly string[]) =>
    batches(ids ? samplesOf(dataset, ids) : dataset, {
      ...reading,
      batchSize: EVERY_SAMPLE_BATCH,
      modalities: names,
      transform: 'test',
    });
  const augmentation = Object.entries(augment).filter(([modality]) => modalities.includes(modality));
  return {
    ...trainSettings(config, { data, modalities }),
    model: run.model,
    methods: plan.methods,
    ...(plan.needsTeachers && { teachers: await run.startTeachers(teacherOutputs, note) }),
    task: data.train.task,
    ...(processes && { allReduce: processes.allReduce }),
    epochs: config.epochs,
    seed: config.seed,
    batchesPerEpoch: batchCount(data.train.size, config),
    batches: (epoch, startBatch, part) =>
      batches(data.complete ?? data.train, {
        ...reading,
        batchSize: config.batchSize,
        seed: config.seed,
        epoch,
        startBatch,
        ...(part && { part }),
        shuffle: true,
        dropLast,
        modalities,
        transform,
        augment: Object.fromEntries(augmentation.map(([modality, options]) => [modality, cropOf(options)])),
      }),
    everySample: every(data.train),
    ...(data.validation && { everyValidationSample: every(data.validation) }),
    evaluate: async () => undefined,
  };
}

function cropOf(options: RunConfig['data']['augment'][string]): Augmentation {
  const { type: _, ...own } = options;
  return randomAffineCrop(defined(own));
}

/** How many batches an epoch of so many samples has. */
const batchCount = (size: number, { batchSize, data: { dropLast } }: RunConfig): number =>
  dropLast ? Math.floor(size / batchSize) : Math.ceil(size / batchSize);
