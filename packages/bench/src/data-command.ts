import { availableParallelism } from 'node:os';
import { formatNumber, type MultimodalDataset } from '@g2d/core';
import { batches } from '@g2d/datasets';
import { OptionError } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';
import { measureStep } from './measure-step.js';
import { createProgress } from '@g2d/runs';
import { parseStepCommand } from './step-options.js';
import { defineCommand } from '@g2d/cli';
import {
  formatTable,
  parseSettings,
  parseSplit,
  parseWhole,
  required,
  DATASET_NAMES,
  datasetOptions,
  findDataset,
} from '@g2d/cli/internal';

/** `g2d bench data`, or `g2d data bench`. */
export const benchData = defineCommand({
  usage: '--dataset NAME --root FOLDER [options]',
  description:
    'Measures how many samples a second reading, decoding, augmenting and batching deliver, with nothing else to do, next to how many a step of joint training at these shapes takes (g2d bench step). Epochs follow each other until the time is over; the first batch, for which files are opened and workers started, is not timed.',
  options: {
    dataset: { value: 'NAME', help: DATASET_NAMES },
    root: { value: 'FOLDER', help: "the dataset's folder" },
    split: { value: 'NAME', default: 'train', help: 'train, validation, test (default: train)' },
    batch: { value: 'N', default: '16', help: 'samples in a batch (default: 16)' },
    workers: {
      value: 'N',
      default: String(Math.max(1, availableParallelism() - 1)),
      help: 'threads that read beside the main one (default: one for each processor but one)',
    },
    seconds: { value: 'N', default: '10', help: 'how long to measure (default: 10)' },
    transform: {
      value: 'NAME',
      default: 'train',
      help: "train: with the dataset's augmentation; test: without (default: train)",
    },
    'no-step': { help: 'do not measure the step' },
    backend: {
      value: 'NAME',
      help: 'tensorflow, wasm, cpu (default: the fastest one that is present)',
    },
    official: { also: 'faithful', help: 'by the rules of the reference' },
    set: {
      value: 'KEY=VALUE',
      multiple: true,
      help: 'an option of the loader; may be given several times',
    },
    json: {
      help: 'one JSON object: {"dataset", "split", "batch", "workers", "transform", "samples", "seconds", "samplesPerSecond", "step": {"ms", "samplesPerSecond"}, "ratio"}; ratio is how many times faster than the step the data are',
    },
  },
  details: `Exit code: 0; 2 for an error.

Example: g2d bench data --dataset crema-d --root data/crema-d --workers 4`,
  async run({ values, positionals }, { out, err }) {
    if (positionals.length > 0) {
      throw new OptionError(`"${positionals[0]}" is one argument too many; the folder is given by --root.`, {
        option: 'root',
        value: positionals[0],
        accepted: '--root FOLDER',
      });
    }
    const definition = await findDataset(values.dataset, { err });
    const name = values.dataset as string;
    const root = required('--root', values.root, `the folder of ${definition.label}`);
    const split = parseSplit(values.split);
    const options = datasetOptions(definition, {
      root,
      official: values.official,
      settings: parseSettings(values.set),
    });
    const setup = {
      batch: parseWhole('batch', values.batch, 1),
      workers: parseWhole('workers', values.workers, 0),
      seconds: parseWhole('seconds', values.seconds, 1),
      transform: transformOf(values.transform),
    };
    const step = parseStepCommand([
      'step',
      '--dataset',
      name,
      '--batch',
      values.batch,
      ...(values.backend === undefined ? [] : ['--backend', values.backend]),
    ]);
    const dataset = await definition.make(split, options);
    const { loadTensorFlow } = await import('@g2d/native');
    await loadTensorFlow({ ...(step.backend && { backend: step.backend }) });

    const stepRuns = values['no-step'] ? 0 : step.setup.warmup + step.setup.steps;
    const progress = createProgress(setup.seconds + stepRuns);
    try {
      progress.stage(`${definition.label}: reading for ${setup.seconds} s`);
      let shown = 0;
      const read = await measureReading(dataset, setup, (seconds) => {
        progress.advance(Math.floor(seconds) - shown);
        shown = Math.floor(seconds);
      });
      const samplesPerSecond = read.samples / read.seconds;
      let consumed: { ms: number; samplesPerSecond: number } | undefined;
      if (stepRuns > 0) {
        progress.stage(`${definition.label}: ${stepRuns} steps`);
        const { ms } = await measureStep(step.setup, () => progress.advance(1));
        consumed = {
          ms: hundredths(ms.median),
          samplesPerSecond: hundredths((setup.batch * 1000) / ms.median),
        };
      }
      const report = {
        dataset: name,
        split,
        batch: setup.batch,
        workers: setup.workers,
        transform: setup.transform,
        samples: read.samples,
        seconds: hundredths(read.seconds),
        samplesPerSecond: hundredths(samplesPerSecond),
        ...(consumed && { step: consumed, ratio: hundredths(samplesPerSecond / consumed.samplesPerSecond) }),
      };
      progress.stop();
      out(values.json ? `${JSON.stringify(report)}\n` : format(definition.label, report));
    } finally {
      progress.stop();
      await dataset.close();
    }
    return 0;
  },
});

interface Reading {
  readonly batch: number;
  readonly workers: number;
  readonly seconds: number;
  readonly transform: 'train' | 'test';
}

/** Counts the samples of whole batches until the time is over. */
async function measureReading(
  dataset: MultimodalDataset<string>,
  { batch: batchSize, workers, seconds, transform }: Reading,
  onProgress: (seconds: number) => void,
): Promise<{ readonly samples: number; readonly seconds: number }> {
  let started: number | undefined;
  let samples = 0;
  for (let epoch = 1; ; epoch++) {
    for await (const batch of batches(dataset, { batchSize, workers, transform, epoch, shuffle: true })) {
      const { length } = batch.ids;
      tf.dispose(batch);
      if (started === undefined) {
        started = performance.now();
        continue;
      }
      samples += length;
      const passed = (performance.now() - started) / 1000;
      onProgress(Math.min(passed, seconds));
      if (passed >= seconds) return { samples, seconds: passed };
    }
  }
}

function transformOf(name: string): 'train' | 'test' {
  if (name === 'train' || name === 'test') return name;
  throw new OptionError(`--transform is "${name}"; it can be train, test.`, {
    option: 'transform',
    value: name,
    accepted: 'train, test',
  });
}

interface DataReport {
  readonly split: string;
  readonly batch: number;
  readonly workers: number;
  readonly transform: string;
  readonly samples: number;
  readonly seconds: number;
  readonly samplesPerSecond: number;
  readonly step?: { readonly ms: number; readonly samplesPerSecond: number };
  readonly ratio?: number;
}

function format(title: string, report: DataReport): string {
  const { split, batch, workers, transform, samples, seconds, samplesPerSecond, step, ratio } = report;
  const table = formatTable(
    [
      ['', 'samples a second'],
      ['reading', formatNumber(samplesPerSecond)],
      ...(step ? [[`joint step, ${formatNumber(step.ms)} ms`, formatNumber(step.samplesPerSecond)]] : []),
    ],
    [false, true],
  );
  const threads = workers === 1 ? '1 worker' : `${workers} workers`;
  const verdict =
    ratio === undefined ? '' : `\nReading is ${formatNumber(ratio)} times as fast as the step consumes.\n`;
  return `${title}, ${split}, batch ${batch}, ${threads}, ${transform} transform: ${samples} samples in ${formatNumber(seconds)} s\n\n${table}${verdict}`;
}

const hundredths = (value: number): number => Math.round(value * 100) / 100;
