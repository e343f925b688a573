import { loadTensorFlow } from '@g2d/native';
import { formatMissing, renderMissing } from '@g2d/analysis';
import { OptionError, type MultimodalDataset, type Split } from '@g2d/core';
import { writeFileAtomic } from '@g2d/formats/node';
import { mapValues } from '@g2d/trainer/internal';
import { type CheckpointLabel, createProgress, loadRun, type LoadedRun } from '@g2d/runs';
import { evaluateOptions, evaluateSplit, type SplitEvaluation } from '@g2d/runs/internal';
import { defineCommand } from '../command.js';
import { parseSettings, parseSplit, parseWhole } from '../data/arguments.js';
import { commandLine } from './command-line.js';
import { evaluateMissing, parseMissing, type MissingRequest } from './evaluate-missing.js';
import { formatMetrics } from './format-summary.js';
import { loadingWords, onlyRun, trustOption } from './run-argument.js';

/** `g2d evaluate`. */
export const evaluateCommand = defineCommand({
  usage: 'RUN [options]',
  description: `Measures a run again, from a checkpoint: fused and each modality's own head; accuracy, macro F1, calibration error and loss, for a regression MAPE, R² and mean squared error, or for a multi-label task micro and macro F1, subset accuracy, mean average precision and loss. Nothing is written but the page of --out. Data that are not those that the run began with are named, with both sides; classes in another order are mapped by their names, and a class that the run has not is an error.

RUN is a run folder.`,
  options: {
    split: {
      value: 'S',
      multiple: true,
      help: 'train, validation or test; may be given several times (default: validation, where there is one, and test)',
    },
    checkpoint: {
      value: 'L',
      help: 'last, best or epoch-0010 (default: the one that the run has selected)',
    },
    data: { value: 'DIR', help: "the dataset's folder, if it is not where it was, or other data" },
    'allow-changed': { help: 'go on although a module of the model is not what it was' },
    trust: trustOption,
    missing: {
      value: 'RATES',
      help: 'with modalities taken away: rates such as 0,0.2,0.4,0.6, each under several masks, and every set of modalities alone',
    },
    'mask-seeds': { value: 'N', default: '10', help: 'masks of each rate (default: 10)' },
    sampler: {
      value: 'NAME',
      default: 'exact',
      help: 'how masks are drawn: exact (default), official (CPM-Net, MLA, GCNet), samples (TATE: the rate is a share of samples), patterns (MMIN: give --missing "")',
    },
    mask: {
      value: 'FILE',
      multiple: true,
      help: 'a mask of your own beside the rates: columns id and a modality each, 1 present, 0 missing; may be given several times',
    },
    out: { value: 'FILE', help: 'with --missing: also write one self-contained HTML page' },
    set: {
      value: 'KEY=VALUE',
      multiple: true,
      help: 'a setting that stands above the recorded one, such as data.missing.rate=0.4',
    },
    json: {
      help: '{"run", "checkpoint", "epoch", "task", "metrics": {split: {head: …}}, "confusion", "perClass", "predictions", "notes"}',
    },
  },
  details: `Example: g2d evaluate runs/g2d --split test --checkpoint best
         g2d evaluate runs/g2d --missing 0,0.2,0.4,0.6 --mask-seeds 10 --out missing.html`,
  async run({ values, positionals, args }, { out, err }) {
    const path = onlyRun(positionals, 'evaluate');
    const wanted = values.split.map(parseSplit);
    const request = missingRequest(values, wanted);
    const loading = values.trust ? loadingWords(path) : undefined;
    if (loading !== undefined) err(`${loading}\n`);
    await loadTensorFlow({ quiet: true });
    const run = await loadRun(path, {
      trust: values.trust,
      ...(values.checkpoint !== undefined && { checkpoint: values.checkpoint as CheckpointLabel }),
      changes: {
        ...(values.data !== undefined && { 'dataset.root': values.data }),
        ...(values['allow-changed'] && { allowChanged: true }),
        // What the run was trained without is there again, and taken away as it is asked for.
        ...(request && { 'data.missing': undefined }),
        ...parseSettings(values.set),
      },
    });
    const splits = request
      ? [request.split]
      : wanted.length > 0
        ? wanted
        : (['validation', 'test'] as const).filter((s) => run.data[s]);
    const notes = [
      ...run.notes,
      ...splits.flatMap((split) => {
        const words = run.differences[split];
        return words ? [`The ${split} split is not the one that the run began with (${words}).`] : [];
      }),
    ];
    for (const note of notes) err(`${note}\n`);
    const progress = createProgress(request ? 0 : splits.length);
    try {
      for (const split of splits) assertSplit(run.data, split, path);
      if (request) {
        const results = await evaluateMissing(run, path, request);
        out(
          values.json
            ? `${JSON.stringify({ ...results, notes })}\n`
            : `${path}\n\n${formatMissing(results)}\n`,
        );
        if (values.out !== undefined) {
          const command = commandLine('g2d evaluate', args);
          writeFileAtomic(
            values.out,
            renderMissing({ title: `${path} with missing modalities`, results, command }),
          );
          err(`${values.out}\n`);
        }
        return 0;
      }
      const found: Record<string, SplitEvaluation> = {};
      for (const split of splits) {
        const dataset = run.data[split] as MultimodalDataset<string>;
        progress.stage(`${split}: ${dataset.size} samples`);
        found[split] = await evaluateSplit(run.predict, dataset, {
          ...evaluateOptions(run.config),
          withProbabilities: values.json,
        });
        progress.advance(1);
      }
      progress.stop();
      const metrics = mapValues(found, (evaluation) => evaluation.metrics);
      const { task } = run.facts;
      const label = values.checkpoint ?? run.folder.summary()?.checkpoint ?? 'last';
      out(
        values.json
          ? `${JSON.stringify({
              run: path,
              checkpoint: run.epoch === null ? null : label,
              epoch: run.epoch,
              task,
              metrics,
              confusion: mapValues(found, ({ confusion }) => confusion),
              perClass: mapValues(found, ({ perClass }) => perClass),
              predictions: mapValues(found, ({ predictions }) => predictions),
              notes,
            })}\n`
          : `${path}, ${run.epoch === null ? 'not trained' : `checkpoint ${label}, epoch ${run.epoch}`}\n\n${formatMetrics({ task, metrics })}`,
      );
      return 0;
    } finally {
      progress.stop();
      await run.close();
    }
  },
});

function assertSplit(data: LoadedRun['data'], split: Split, path: string): void {
  if (data[split]) return;
  throw new OptionError(`The dataset of ${path} has no ${split} split.`, {
    option: 'split',
    value: split,
    accepted: 'train, test',
  });
}

interface MissingValues {
  readonly missing?: string | undefined;
  readonly 'mask-seeds': string;
  readonly sampler: string;
  readonly mask: readonly string[];
  readonly out?: string | undefined;
}

/** What is to be taken away; `undefined` for an evaluation of everything that is there. */
function missingRequest(values: MissingValues, splits: readonly Split[]): MissingRequest | undefined {
  const { missing, mask, out, sampler } = values;
  if (missing === undefined && mask.length === 0) {
    if (out === undefined) return undefined;
    throw new OptionError('--out is for --missing, or --mask, and neither is given.', {
      option: 'out',
      value: out,
      accepted: 'with --missing',
    });
  }
  const [split = 'test', ...others] = splits;
  if (others.length > 0) {
    throw new OptionError('With --missing one split is evaluated at a time: give --split once.', {
      option: 'split',
      value: splits,
      accepted: 'one split',
    });
  }
  const seeds = parseWhole('mask-seeds', values['mask-seeds'], 1);
  return parseMissing(missing ?? '', { seeds, sampler, files: mask, split });
}
