import { appendFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { MultimodalModel } from '@g2d/fusion';
import { decodeSafetensors, encodeSafetensors } from '@g2d/tensor-ops';
import { writeFileAtomic } from '@g2d/tensor-ops/node';
import type { Evaluation } from '../evaluate.js';
import { readState, writeState } from '../model-state.js';
import type { EpochRecord, Scores } from '../method.js';

/** What a finished training comes to. */
export interface RunSummary {
  readonly name: string;
  readonly seed: number;
  readonly epochs: number;
  readonly seconds: number;
  /** The epoch whose weights were kept: the last, or for teachers the best on validation. */
  readonly selectedEpoch: number;
  /** Percent. */
  readonly test: Scores;
  readonly validation: Scores;
  /** On the test part. */
  readonly confusion: Evaluation['confusion'];
}

const SUMMARY = 'summary.json';
const METRICS = 'metrics.jsonl';
const WEIGHTS = 'model.safetensors';

export const writeJson = (path: string, value: unknown): void =>
  writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);

/**
 * The folder of one training: `config.json`, `metrics.jsonl` (a line per epoch), and at the end `model.safetensors`,
 * `predictions.json` (test part) and `summary.json`. The summary is written last: a folder with one is complete.
 */
export class RunFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** The summary of a finished run, `undefined` for one that was not finished or cannot be read. */
  summary(): RunSummary | undefined {
    try {
      return JSON.parse(readFileSync(join(this.path, SUMMARY), 'utf8')) as RunSummary;
    } catch {
      // Missing, or damaged by others: we write it in one piece.
      return undefined;
    }
  }

  /** Begins anew: what an interrupted run left is removed. */
  begin(config: object): void {
    rmSync(this.path, { recursive: true, force: true });
    mkdirSync(this.path, { recursive: true });
    writeJson(join(this.path, 'config.json'), config);
  }

  /** Adds an epoch's record, with the memory in use. */
  append(record: EpochRecord): void {
    const memoryMB = Math.round(process.memoryUsage.rss() / 2 ** 20);
    appendFileSync(join(this.path, METRICS), `${JSON.stringify({ ...record, memoryMB })}\n`);
  }

  /** Writes weights, predictions and summary, in this order, and returns the summary. */
  finish<M extends string>({
    model,
    test,
    classNames,
    summary,
  }: {
    readonly model: MultimodalModel<M>;
    readonly test: Evaluation;
    readonly classNames: readonly string[];
    readonly summary: Omit<RunSummary, 'test' | 'confusion'>;
  }): RunSummary {
    const { ids, labels, predictions, confusion, accuracy } = test;
    writeFileAtomic(join(this.path, WEIGHTS), encodeSafetensors(readState(model)));
    writeJson(join(this.path, 'predictions.json'), { ids, labels, classNames, predictions });
    const whole = { ...summary, test: accuracy, confusion };
    writeJson(join(this.path, SUMMARY), whole);
    return whole;
  }

  /** Puts the saved weights into a model of the same structure. */
  loadWeights<M extends string>(model: MultimodalModel<M>): void {
    const path = join(this.path, WEIGHTS);
    writeState(model, decodeSafetensors(readFileSync(path), path));
  }
}
