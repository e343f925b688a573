import {
  closeSync,
  copyFileSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname, join, parse, resolve } from 'node:path';
import {
  FileFormatError,
  G2DError,
  OptionError,
  type EpochRecord,
  type NamedArray,
  type PassCounts,
  type Split,
} from '@g2d/core';
import { safetensorsPieces } from '@g2d/formats';
import { addPasses, NO_PASSES } from '@g2d/trainer/internal';
import { isFolder, isThere, makeFolder, readIfThere, writeFileAtomic } from '@g2d/formats/node';
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
import { epochLabel, isCheckpoint, type CheckpointLabel } from './checkpoints/checkpoint.js';
import { readCheckpoint } from './checkpoints/read-checkpoint.js';

/** What a finished run comes to: `summary.json`. */
export type RunSummary = WrittenSummary;

const CONFIG = 'config.json';
const METRICS = 'metrics.jsonl';
const SUMMARY = 'summary.json';
const PREDICTIONS = 'predictions.json';
const REPORT = 'report.html';
const CHECKPOINTS = 'checkpoints';
const TENSORBOARD = 'tensorboard';
const TEACHERS = 'teachers';
const MASKS = 'masks';

/** What a run writes into its folder, by what it has to be. */
const FILES = [CONFIG, METRICS, SUMMARY, PREDICTIONS, REPORT];
const FOLDERS = [CHECKPOINTS, TENSORBOARD, TEACHERS, MASKS];

/** The folder of one run. A folder with a summary is a finished run. */
export class RunFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get checkpoints(): string {
    return join(this.path, CHECKPOINTS);
  }

  get tensorboard(): string {
    return join(this.path, TENSORBOARD);
  }

  /** Where a copy of a teacher is. */
  teacher(modality: string): string {
    return join(this.path, TEACHERS, modality);
  }

  /** Where the table of what is missing of a split is. */
  mask(split: Split): string {
    return join(this.path, MASKS, `${split}.csv`);
  }

  /** Path of a file in the folder. */
  file(name: string): string {
    return join(this.path, name);
  }

  /**
   * What was recorded when the run began, `undefined` where none has.
   *
   * @throws {FileFormatError} If it is no JSON, of a version that this program does not read, or lacks what runs record.
   * @throws {G2DError} With code `G2D_FILE` if it cannot be read.
   */
  config(): RecordedFacts | undefined {
    const path = join(this.path, CONFIG);
    const config = readJson(
      path,
      'If a run wrote it, put a copy in its place: the settings of a run are nowhere else. If not, give another folder',
    ) as RecordedFacts | null | undefined;
    // A file of that name may be anybody's.
    if (config?.format !== RUN_FORMAT) return undefined;
    checkFile(recordedFactsSchema, config, { path });
    // As it was written: a copy of it has to be equal.
    return config;
  }

  /**
   * The summary of a finished run.
   *
   * @throws {FileFormatError} If it is no JSON, or lacks what runs write.
   * @throws {G2DError} With code `G2D_FILE` if it cannot be read.
   */
  summary(): RunSummary | undefined {
    const path = join(this.path, SUMMARY);
    const summary = readJson(
      path,
      'Give it another name, then go on with --resume: it is made again from the last checkpoint',
    );
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
    if (!isThere(this.path)) return;
    if (!isFolder(this.path)) {
      throw new OptionError(`${this.path} is a file. Give a folder for the run with --out.`, {
        option: 'out',
        value: this.path,
        accepted: 'a new or empty folder',
      });
    }
    if (this.config()) return this.#assertKinds();
    const foreign = readdirSync(this.path).filter(
      (name) => !/^\.(lock|config\.json\.|processes$)/.test(name),
    );
    if (foreign.length === 0) return;
    if (foreign.includes(METRICS) && !foreign.includes(CONFIG)) {
      throw new OptionError(
        `${this.path} holds what a run wrote (${foreign.slice(0, 6).join(', ')}), but its ${CONFIG} is gone, and it is left alone. Put a copy of ${CONFIG} in its place to go on, or give another folder with --out.`,
        { option: 'out', value: this.path, accepted: `a folder with a run's ${CONFIG}` },
      );
    }
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
      makeFolder(this.path);
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
      for (const name of [SUMMARY, PREDICTIONS])
        if (isThere(this.file(name))) renameSync(this.file(name), this.#freeName(name, from - 1));
      const facts = Object.entries(recorded ?? {}).filter(([key]) => RECORDED_KEYS.includes(key));
      this.#writeJson(CONFIG, {
        ...settings,
        ...Object.fromEntries(facts),
        version: RUN_VERSION,
        continued,
      });
    });
  }

  /** What a file is kept as that was written after an epoch: nothing has this name. */
  #freeName(name: string, epoch: number): string {
    const { name: stem, ext } = parse(name);
    const kept = (count: number): string =>
      join(this.path, `${stem}-until-epoch-${epoch}${count === 1 ? '' : `-${count}`}${ext}`);
    let count = 1;
    while (isThere(kept(count))) count++;
    return kept(count);
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

  /**
   * Takes away the records of epochs from `epoch` on, and a torn last line: they come again.
   *
   * @returns How many of the epochs before have no record.
   * @throws {FileFormatError} If another line is damaged.
   */
  forgetFrom(epoch: number): number {
    const kept = this.#records().filter((record) => record.epoch < epoch);
    const path = join(this.path, METRICS);
    this.#guarded(() => writeFileAtomic(path, kept.map(({ text }) => `${text}\n`).join('')));
    return epoch - 1 - new Set(kept.map((record) => record.epoch)).size;
  }

  /** The record of the newest epoch. */
  lastRecord(): EpochMetrics | undefined {
    const { text } = this.#records().at(-1) ?? {};
    if (text === undefined) return undefined;
    return this.#checked(text);
  }

  /** Passes of the encoders in so many epochs; `undefined` where one of them does not say it. */
  passes(epochs: number): PassCounts | undefined {
    const byEpoch = new Map(this.#records().map(({ epoch, text }) => [epoch, text]));
    let sum: PassCounts = NO_PASSES;
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const text = byEpoch.get(epoch);
      const own = text === undefined ? undefined : this.#checked(text).passes;
      if (!own) return undefined;
      sum = addPasses(sum, own as PassCounts);
    }
    return sum;
  }

  #checked(text: string): EpochMetrics {
    return checkFile(epochMetricsSchema, JSON.parse(text), { path: join(this.path, METRICS) });
  }

  /**
   * With which epoch a run ended by itself, `undefined` if it did not. Without its records it is what it came to that tells.
   *
   * @param position Where the run would go on.
   */
  endedEarly(position: { readonly epoch: number }): number | undefined {
    const { text = '{}' } = this.#records().at(-1) ?? {};
    const last = parsed(text) as { readonly epoch: number; readonly stopped?: unknown };
    const epoch = last.stopped === true ? last.epoch : this.summary()?.last.epoch;
    return epoch !== undefined && epoch < position.epoch - 1 ? epoch : undefined;
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

  /** Writes weights alone: of the copy of a teacher. */
  writeWeights(name: string, weights: Readonly<Record<string, NamedArray>>): void {
    this.#guarded(() => writeFileAtomic(join(this.path, name), safetensorsPieces(weights)));
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
   * @throws {FileFormatError} If they are damaged: others of the same name are of another epoch.
   */
  weights(
    label: CheckpointLabel = this.summary()?.checkpoint ?? 'last',
  ): Readonly<Record<string, NamedArray>> {
    const found = readCheckpoint(this.checkpoints, label);
    if (found && found.warnings.length > 0) {
      throw new FileFormatError(
        join(this.checkpoints, label),
        `the checkpoint is damaged, and its weights are wanted. ${found.warnings.join(' ')} Put it right, or name a run whose checkpoint is whole.`,
      );
    }
    if (found) return found.model;
    throw new OptionError(`${this.path} has no checkpoint "${label}".`, {
      option: 'checkpoint',
      value: label,
      accepted: 'last, best, or epoch- and at least four digits',
    });
  }

  /**
   * Refuses a run without `checkpoints/last` to begin anew over what it has already saved.
   *
   * @param options After how many epochs it saves itself for the first time: `saved` at the latest, `scored` if there is a `best`.
   * @throws {OptionError} If more than that is there; it says what, and what can be done.
   */
  assertUnsaved({ saved: first, scored }: { readonly saved: number; readonly scored: number }): void {
    const epoch = this.lastRecord()?.epoch ?? 0;
    const saved = isThere(this.checkpoints) ? readdirSync(this.checkpoints).filter(isCheckpoint) : [];
    // A process that is killed while it saves for the first time leaves others, before `last`.
    const most = saved.includes('best') ? Math.min(first, scored) : first;
    const known = ['best', epochLabel(epoch)];
    const isBefore = epoch <= most && saved.every((name) => epoch > 0 && known.includes(name));
    const results = [SUMMARY, PREDICTIONS].filter((name) => isThere(join(this.path, name)));
    if (isBefore && results.length === 0) return;
    const there = [
      ...(epoch > 0 ? [`records of ${epoch} epochs`] : []),
      ...saved.map((name) => `${CHECKPOINTS}/${name}`),
      ...results,
    ];
    throw new OptionError(
      `The run in ${this.path} has no ${CHECKPOINTS}/last to go on from, but other things that it saved: ${there.join(', ')}. Nothing was changed. Put ${CHECKPOINTS}/last back, or give another folder with --out; the checkpoints there can be used with g2d evaluate and g2d export.`,
      { option: 'out', value: this.path, accepted: 'a new or empty folder' },
    );
  }

  /**
   * Moves what a run wrote that is to begin anew into a folder of its own, `earlier-1` and so on; the lock stays.
   *
   * @returns That folder, `undefined` if there was nothing but the configuration.
   */
  setAside(): string | undefined {
    const names = [...FILES, ...FOLDERS].filter((name) => name !== CONFIG && isThere(join(this.path, name)));
    if (names.length === 0) return undefined;
    let count = 1;
    while (isThere(join(this.path, `earlier-${count}`))) count++;
    const aside = join(this.path, `earlier-${count}`);
    this.#guarded(() => {
      makeFolder(aside);
      // The configuration marks the folder as a run's until there is a new one.
      copyFileSync(join(this.path, CONFIG), join(aside, CONFIG));
      for (const name of names) renameSync(join(this.path, name), join(aside, name));
    });
    return aside;
  }

  #enclosingRun(): string | undefined {
    for (let folder = dirname(resolve(this.path)); folder !== dirname(folder); folder = dirname(folder)) {
      if (isRun(folder)) return folder;
    }
    return undefined;
  }

  /** What stands in the place of a file or folder is found out now, not when it is to be written. */
  #assertKinds(): void {
    const at = (name: string): string => join(this.path, name);
    const file = FOLDERS.find((name) => isThere(at(name)) && !isFolder(at(name)));
    const wrong = file ?? FILES.find((name) => isFolder(at(name)));
    if (wrong === undefined) return;
    throw new OptionError(
      `${at(wrong)} is a ${file === undefined ? 'folder, but a run writes a file' : 'file, but a run writes into a folder'} of this name. Nothing was changed. Give it another name, or put back what the run wrote.`,
      { option: 'out', value: this.path, accepted: "a run's folder as it was written" },
    );
  }

  /** The lines of `metrics.jsonl` as they were written; a last one that is torn is left out. */
  #records(): { readonly epoch: number; readonly text: string }[] {
    const path = join(this.path, METRICS);
    const lines = (readIfThere(path)?.toString('utf8') ?? '').split('\n');
    return lines.flatMap((text, i) => {
      if (text.trim() === '') return [];
      const record = parsed(text) as { readonly epoch?: unknown } | null | undefined;
      if (typeof record?.epoch === 'number') return [{ epoch: record.epoch, text }];
      // Without a line end it was being written when the process or the machine ended.
      if (i === lines.length - 1) return [];
      throw new FileFormatError(
        path,
        `line ${i + 1} is no record of an epoch. Nothing was changed. Put a copy of the file in its place, or take this line away to go on without it.`,
      );
    });
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

/** @throws {FileFormatError} If it is there, and no JSON; the message ends with `advice`. */
function readJson(path: string, advice: string): unknown {
  const bytes = readIfThere(path);
  if (bytes === undefined) return undefined;
  try {
    return parseJson(bytes, { path });
  } catch (error) {
    const { problem } = (error as FileFormatError).details;
    const what =
      bytes.length === 0
        ? 'it is empty.'
        : `it is not JSON: ${String(problem).replace(/^not valid JSON: /, '')}`;
    throw new FileFormatError(path, `${what} Nothing was changed. ${advice}.`);
  }
}

/** Whether a folder around another one is a run's: what cannot be read there is in nobody's way. */
function isRun(folder: string): boolean {
  const config = parsed(readOrEmpty(join(folder, CONFIG))) as
    { readonly format?: unknown } | null | undefined;
  return config?.format === RUN_FORMAT;
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function parsed(text: string): unknown {
  try {
    return parseJson(text, { path: '' });
  } catch {
    return undefined;
  }
}
