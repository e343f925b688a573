import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join, parse, resolve } from 'node:path';
import { G2DError, OptionError, type EpochRecord, type NamedArray } from '@g2d/core';
import { writeFileAtomic } from '@g2d/formats/node';
import {
  checkFile,
  epochMetricsSchema,
  RECORDED_KEYS,
  recordedFactsSchema,
  RUN_FORMAT,
  RUN_VERSION,
  writtenSummarySchema,
  type EpochMetrics,
  type RecordedFacts,
  type RunFacts,
  type RunPredictions,
  type WrittenSummary,
  parseJson,
} from '@g2d/core/run-folder';
import type { CheckpointLabel } from './checkpoints/checkpoint.js';
import { readCheckpoint } from './checkpoints/read-checkpoint.js';

/** What a finished run comes to: `summary.json`. */
export type RunSummary = WrittenSummary;

const CONFIG = 'config.json';
const METRICS = 'metrics.jsonl';
const SUMMARY = 'summary.json';
const PREDICTIONS = 'predictions.json';
const REPORT = 'report.html';

/** The folder of one run. A folder with a summary is a finished run. */
export class RunFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get checkpoints(): string {
    return join(this.path, 'checkpoints');
  }

  get tensorboard(): string {
    return join(this.path, 'tensorboard');
  }

  /** Where a copy of a teacher is. */
  teacher(modality: string): string {
    return join(this.path, 'teachers', modality);
  }

  /** Path of a file in the folder. */
  file(name: string): string {
    return join(this.path, name);
  }

  /**
   * What was recorded when the run began, `undefined` where none has.
   *
   * @throws {FileFormatError} If it is of a version that this program does not read, or lacks what runs record.
   */
  config(): RecordedFacts | undefined {
    const path = join(this.path, CONFIG);
    const config = readJson(path) as RecordedFacts | undefined;
    // A file of that name may be anybody's.
    if (config?.format !== RUN_FORMAT) return undefined;
    checkFile(recordedFactsSchema, config, { path });
    // As it was written: a copy of it has to be equal.
    return config;
  }

  /**
   * The summary of a finished run.
   *
   * @throws {FileFormatError} If it lacks what runs write.
   */
  summary(): RunSummary | undefined {
    const path = join(this.path, SUMMARY);
    const summary = readJson(path);
    return summary === undefined ? undefined : checkFile(writtenSummarySchema, summary, { path });
  }

  /** @throws {OptionError} If the folder holds files that are not a run's. */
  assertUsable(): void {
    const outer = this.#enclosingRun();
    if (outer !== undefined) {
      throw new OptionError(
        `${this.path} lies inside of the run folder ${outer}. Give a folder of its own with --out.`,
        {
          option: 'out',
          value: this.path,
          accepted: 'a folder outside of other runs',
        },
      );
    }
    if (!existsSync(this.path) || this.config()) return;
    if (!statSync(this.path).isDirectory()) {
      throw new OptionError(`${this.path} is a file. Give a folder for the run with --out.`, {
        option: 'out',
        value: this.path,
        accepted: 'a new or empty folder',
      });
    }
    const foreign = readdirSync(this.path).filter((name) => !/^\.(lock|config\.json\.)/.test(name));
    if (foreign.length === 0) return;
    throw new OptionError(
      `${this.path} holds files that are not a run's (${foreign.slice(0, 3).join(', ')}), and is left alone. Give a folder of its own with --out.`,
      { option: 'out', value: this.path, accepted: "a new or empty folder, or a run's" },
    );
  }

  /** Records the configuration, and what else is known: the run has begun. */
  begin(settings: object, facts: RunFacts): void {
    this.record({ ...settings, ...facts, format: RUN_FORMAT, version: RUN_VERSION });
  }

  /** Writes `config.json` as it is: of the copy of a teacher, which may be of an earlier version. */
  record(config: object): void {
    this.#guarded(() => {
      mkdirSync(this.path, { recursive: true });
      this.#writeJson(CONFIG, config);
    });
  }

  /**
   * Records that the run goes on with other settings. What it came to, if it was finished, stays under names with its last epoch.
   *
   * @param options `from`: the next epoch; `earlier`: what the settings were until then.
   */
  goOn(
    settings: object,
    { from, earlier }: { readonly from: number; readonly earlier: Readonly<Record<string, unknown>> },
  ): void {
    const recorded = this.config();
    const continued = [...(recorded?.continued ?? []), { from, earlier }];
    this.#guarded(() => {
      // First: a run with a summary is finished, with the settings that it has.
      for (const name of [SUMMARY, PREDICTIONS]) {
        const { name: stem, ext } = parse(name);
        const kept = join(this.path, `${stem}-until-epoch-${from - 1}${ext}`);
        if (existsSync(this.file(name))) renameSync(this.file(name), kept);
      }
      const facts = Object.entries(recorded ?? {}).filter(([key]) => RECORDED_KEYS.includes(key));
      this.#writeJson(CONFIG, {
        ...settings,
        ...Object.fromEntries(facts),
        version: RUN_VERSION,
        continued,
      });
    });
  }

  /** Adds an epoch's record, with the memory in use. It is on disk when this returns. */
  append(record: EpochRecord): void {
    const memoryMB = Math.round(process.memoryUsage.rss() / 2 ** 20);
    this.#guarded(() => {
      const file = openSync(join(this.path, METRICS), 'a');
      try {
        const line = Buffer.from(`${JSON.stringify({ ...record, memoryMB })}\n`);
        for (let done = 0; done < line.length;) done += writeSync(file, line, done);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    });
  }

  /** Takes away the records of epochs from `epoch` on, and a torn last line: they come again. */
  forgetFrom(epoch: number): void {
    const path = join(this.path, METRICS);
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
    const kept = lines.filter((line) => {
      const record = parsed(line) as { readonly epoch?: number } | undefined;
      return record?.epoch !== undefined && record.epoch < epoch;
    });
    this.#guarded(() => writeFileAtomic(path, kept.map((line) => `${line}\n`).join('')));
  }

  /** The record of the newest epoch. */
  lastRecord(): EpochMetrics | undefined {
    const path = join(this.path, METRICS);
    if (!existsSync(path)) return undefined;
    const line = readFileSync(path, 'utf8').split('\n').map(parsed).filter(Boolean).at(-1);
    return line === undefined ? undefined : checkFile(epochMetricsSchema, line, { path });
  }

  /** Writes the predictions and the summary: the run is finished. */
  finish(summary: RunSummary, predictions: RunPredictions): void {
    this.#guarded(() => this.#writeJson(PREDICTIONS, predictions));
    this.writeSummary(summary);
  }

  /** Writes the summary alone: of the copy of a teacher. */
  writeSummary(summary: RunSummary): void {
    this.#guarded(() => this.#writeJson(SUMMARY, summary));
  }

  /** Writes the page; gives its path. */
  writeReport(page: string): string {
    const path = join(this.path, REPORT);
    this.#guarded(() => writeFileAtomic(path, page));
    return path;
  }

  /**
   * Weights of a checkpoint.
   *
   * @param label Default: those of the epoch that the run has selected, or the last while it is not finished.
   * @throws {OptionError} If there are none.
   */
  weights(
    label: CheckpointLabel = this.summary()?.checkpoint ?? 'last',
  ): Readonly<Record<string, NamedArray>> {
    const found = readCheckpoint(this.checkpoints, label);
    if (found) return found.model;
    throw new OptionError(`${this.path} has no checkpoint "${label}".`, {
      option: 'checkpoint',
      value: label,
      accepted: 'last, best, or epoch- and at least four digits',
    });
  }

  /** Removes what a run left that is to begin anew; the lock stays. */
  clear(): void {
    for (const name of [SUMMARY, METRICS, PREDICTIONS, REPORT, 'checkpoints', 'tensorboard', 'teachers']) {
      rmSync(join(this.path, name), { recursive: true, force: true });
    }
  }

  #enclosingRun(): string | undefined {
    for (let folder = dirname(resolve(this.path)); folder !== dirname(folder); folder = dirname(folder)) {
      if (new RunFolder(folder).config()) return folder;
    }
    return undefined;
  }

  #writeJson(name: string, value: unknown): void {
    writeFileAtomic(join(this.path, name), `${JSON.stringify(value, null, 2)}\n`);
  }

  #guarded(write: () => void): void {
    try {
      write();
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException;
      const full = code === 'ENOSPC' || code === 'EDQUOT';
      throw new G2DError(
        'G2D_RUN_FOLDER',
        `The run folder ${this.path} cannot be written: ${full ? 'the disk is full' : message}. ${full ? 'Free some space' : 'Put this right'}, then go on with --resume; what was saved is untouched.`,
        { path: this.path, reason: code },
        { cause: error },
      );
    }
  }
}

function readJson(path: string): unknown {
  try {
    return parsed(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function parsed(text: string): unknown {
  try {
    return parseJson(text, { path: '' });
  } catch {
    return undefined;
  }
}
