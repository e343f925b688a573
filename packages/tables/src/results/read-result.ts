import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { readRun, type Run } from '@g2d/analysis';
import { FileFormatError } from '@g2d/core';
import { RECORDED_KEYS } from '@g2d/core/run-folder';
import { formatNumber } from '@g2d/core';
import { packBits, type RunResult } from './run-result.js';

/**
 * A finished run as tables take it, from its folder.
 *
 * @param key By which the plan knows it.
 * @throws {FileFormatError} If a file is missing or damaged, or says something else than another: an accuracy that is not that of the
 * predictions was written by hand.
 */
export function readResult(folder: string, key: string): RunResult {
  const run = readRun(folder);
  const { config, summary } = run;
  const { environment } = config;
  const { host } = (environment ?? {}) as { readonly host?: Record<string, string | number> };
  const answers = answersOf(run);
  return {
    key,
    kind: config.kind,
    method: config.method,
    modalities: [...config.modalities],
    seed: config.seed,
    epochs: config.epochs,
    ...(summary.selectedEpoch !== undefined && { selectedEpoch: summary.selectedEpoch }),
    select: summary.select ?? 'last',
    ...(summary.seconds !== undefined && { seconds: summary.seconds }),
    scores: scoresOf(run),
    ...answers,
    versions: versionsOf(run),
    machine: { ...host },
    ...(environment?.gitCommit !== undefined && { commit: environment.gitCommit }),
    settings: settingsOf(run),
  };
}

function versionsOf({ config: { environment = {} } }: Run): Record<string, string> {
  const { backend, versions = {} } = environment;
  const { node: _, ...deciding } = versions;
  return { ...deciding, ...(backend !== undefined && { backend }) };
}

/** Without what was recorded beside them, and without places. */
function settingsOf({ config }: Run): Record<string, unknown> {
  const left = new Set([...RECORDED_KEYS, '$schema', 'teachers', 'name', 'seed', 'checkpoints']);
  const { dataset, ...rest } = config;
  const { root: _, ...data } = (dataset ?? {}) as Record<string, unknown>;
  return { ...Object.fromEntries(Object.entries(rest).filter(([name]) => !left.has(name))), dataset: data };
}

/** Scores of older folders are by head alone. */
function scoresOf({ summary }: Run): RunResult['scores'] {
  const main = summary.task === 'regression' ? 'mape' : 'accuracy';
  const split = (name: 'test' | 'validation') =>
    Object.fromEntries(
      Object.entries(summary[name]).map(([head, score]) => [
        head,
        { ...summary.metrics?.[name]?.[head], [main]: score },
      ]),
    );
  const validation = split('validation');
  return { test: split('test'), ...(Object.keys(validation).length > 0 && { validation }) };
}

function answersOf(run: Run): Pick<RunResult, 'split' | 'right'> {
  const { predictions, summary, folder } = run;
  if (!predictions) return {};
  const { ids, labels, classNames } = predictions;
  const split = createHash('sha256')
    .update(JSON.stringify([ids, labels, classNames]))
    .digest('hex');
  const isClassification = classNames.length > 0 && !labels.some((label) => Array.isArray(label));
  if (!isClassification) return { split };
  // Of masked data a head has a score on the samples that have its modality, and predictions of all.
  const isMasked = (summary.missing?.['test'] ?? 0) > 0;
  const whole = Object.entries(predictions.predictions).filter(([head]) => !isMasked || head === 'fused');
  const heads = whole.map(([head, answers]) => {
    const right = answers.map((answer, at) => answer === labels[at]);
    assertAccuracy(folder, head, right, summary.test[head]);
    return [head, packBits(right)] as const;
  });
  return { split, right: { count: ids.length, heads: Object.fromEntries(heads) } };
}

/** Summaries are rounded no more than to two decimals. */
const TOLERANCE = 0.0051;

function assertAccuracy(folder: string, head: string, right: readonly boolean[], recorded?: number): void {
  if (recorded === undefined || right.length === 0) return;
  const counted = (100 * right.filter(Boolean).length) / right.length;
  if (Math.abs(counted - recorded) < TOLERANCE) return;
  throw new FileFormatError(
    join(folder, 'summary.json'),
    `the accuracy of ${head} is ${formatNumber(recorded, 2)}, and predictions.json beside it has ${formatNumber(counted, 2)}: one of the two was changed after the run. Train it again, or put the files back.`,
  );
}
