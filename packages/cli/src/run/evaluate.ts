import { loadTensorFlow } from '@g2d/native';
import { OptionError } from '@g2d/core';
import { mapValues } from '@g2d/trainer/internal';
import { type CheckpointLabel, createProgress, loadRun } from '@g2d/runs';
import { evaluateOptions, evaluateSplit, type SplitEvaluation } from '@g2d/runs/internal';
import { defineCommand } from '../command.js';
import { parseSettings, parseSplit } from '../data/arguments.js';
import { formatMetrics } from './format-summary.js';
import { loadingWords, onlyRun, trustOption } from './run-argument.js';

/** `g2d evaluate`. */
export const evaluateCommand = defineCommand({
  usage: 'RUN [options]',
  description: `Measures a run again, from a checkpoint: fused and each modality's own head; accuracy, macro F1, calibration error and loss, for a regression MAPE, R² and mean squared error, or for a multi-label task micro and macro F1, subset accuracy, mean average precision and loss. Nothing is written. Data that are not those that the run began with are named, with both sides; classes in another order are mapped by their names, and a class that the run has not is an error.

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
    set: {
      value: 'KEY=VALUE',
      multiple: true,
      help: 'a setting that stands above the recorded one, such as data.missing.rate=0.4',
    },
    json: {
      help: '{"run", "checkpoint", "epoch", "task", "metrics": {split: {head: …}}, "confusion", "perClass", "predictions", "notes"}',
    },
  },
  details: 'Example: g2d evaluate runs/g2d --split test --checkpoint best',
  async run({ values, positionals }, { out, err }) {
    const path = onlyRun(positionals, 'evaluate');
    const wanted = values.split.map(parseSplit);
    const loading = values.trust ? loadingWords(path) : undefined;
    if (loading !== undefined) err(`${loading}\n`);
    await loadTensorFlow({ quiet: true });
    const run = await loadRun(path, {
      trust: values.trust,
      ...(values.checkpoint !== undefined && { checkpoint: values.checkpoint as CheckpointLabel }),
      changes: {
        ...(values.data !== undefined && { 'dataset.root': values.data }),
        ...(values['allow-changed'] && { allowChanged: true }),
        ...parseSettings(values.set),
      },
    });
    const splits = wanted.length > 0 ? wanted : (['validation', 'test'] as const).filter((s) => run.data[s]);
    const notes = [
      ...run.notes,
      ...splits.flatMap((split) => {
        const words = run.differences[split];
        return words ? [`The ${split} split is not the one that the run began with (${words}).`] : [];
      }),
    ];
    for (const note of notes) err(`${note}\n`);
    const progress = createProgress(splits.length);
    try {
      const found: Record<string, SplitEvaluation> = {};
      for (const split of splits) {
        const dataset = run.data[split];
        if (!dataset) {
          throw new OptionError(`The dataset of ${path} has no ${split} split.`, {
            option: 'split',
            value: split,
            accepted: 'train, test',
          });
        }
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
