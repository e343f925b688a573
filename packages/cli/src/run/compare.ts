import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  compareRuns,
  formatComparison,
  readRun,
  readStartedRun,
  renderComparison,
  type StartedRun,
} from '@g2d/analysis';
import { G2DError, OptionError } from '@g2d/core';
import { writeFileAtomic, isFolder, isThere } from '@g2d/formats/node';
import { defineCommand } from '../command.js';
import { commandLine } from './command-line.js';

const FORMATS = ['text', 'markdown', 'csv'] as const;

/** `g2d compare`. */
export const compareCommand = defineCommand({
  usage: 'RUN... [options]',
  description: `Puts runs into one table: a line for each method, mean and standard deviation over seeds, 95 % intervals (Student's t) of it and of the gain over joint training, which is taken seed by seed, each modality's own head. Runs that differ in their seed alone are one line.

RUN is a run folder, or a folder that holds some at any depth, such as a sweep's. Runs that are not finished are in no number, and named.`,
  options: {
    format: { value: 'F', default: 'text', help: 'text, markdown or csv (default: text)' },
    out: {
      value: 'FILE',
      help: 'also write one self-contained HTML page: the table, intervals, curves on top of each other',
    },
    title: { value: 'T', default: 'Comparison of runs', help: 'of the page' },
    json: { help: 'the table as JSON' },
  },
  details: 'Example: g2d compare runs/crema-d/* --out compare.html',
  async run({ values, positionals, args }, { out, err }) {
    const format = FORMATS.find((known) => known === values.format);
    if (!format) {
      throw new OptionError(`--format is "${values.format}"; it can be ${FORMATS.join(', ')}.`, {
        option: 'format',
        value: values.format,
        accepted: FORMATS.join(', '),
      });
    }
    if (positionals.length === 0) {
      throw new OptionError('RUN is missing: give run folders, or folders of them, such as runs/*.', {
        option: 'RUN',
        value: undefined,
        accepted: 'run folders',
      });
    }
    const runs = readRuns(positionals, (line) => err(`${line}\n`));
    const table = compareRuns(runs);
    out(
      values.json
        ? `${JSON.stringify(table)}\n`
        : `${formatComparison(table, format, { width: process.stdout.columns ?? Infinity }).trimEnd()}\n`,
    );
    if (values.out !== undefined) {
      const command = commandLine('g2d compare', args);
      writeFileAtomic(values.out, renderComparison({ title: values.title, runs, command }));
      err(`${values.out}\n`);
    }
    return 0;
  },
});

/** One without its configuration is one too: it is said, and not taken for a folder of its teachers. */
const isRun = (folder: string): boolean =>
  ['config.json', 'metrics.jsonl'].some((name) => isThere(join(folder, name))) && !isGroup(folder);

/** A folder of runs may have a `config.json` of its own. */
const isGroup = (folder: string): boolean =>
  !isThere(join(folder, 'metrics.jsonl')) &&
  subfolders(folder).some((inner) => isThere(join(inner, 'metrics.jsonl')));

const subfolders = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(folder, name))
    .sort();

/** A run's folder has copies of its teachers, which are none of the runs. */
const runsIn = (folder: string): string[] => (isRun(folder) ? [folder] : subfolders(folder).flatMap(runsIn));

function readRuns(paths: readonly string[], note: (line: string) => void): StartedRun[] {
  const folders = paths.flatMap((path) => {
    if (!isFolder(path)) {
      // A glob such as runs/* has files too.
      if (isThere(path)) return [];
      throw new OptionError(`There is no folder ${path}.`, {
        option: 'RUN',
        value: path,
        accepted: 'run folders',
      });
    }
    return runsIn(path);
  });
  const isFinished = (folder: string): boolean => isThere(join(folder, 'summary.json'));
  if (folders.some(isFinished)) {
    return folders.flatMap((folder) => {
      if (isFinished(folder)) return readRun(folder);
      note(`${folder} is not finished, and left out.`);
      return readStopped(folder, note);
    });
  }
  throw new OptionError(`There is no finished run in ${paths.join(', ')}.`, {
    option: 'RUN',
    value: paths,
    accepted: 'folders of finished runs',
  });
}

/** As much of a run that has not ended as can be read: it may have been stopped while it wrote its first file. */
function readStopped(folder: string, note: (line: string) => void): StartedRun[] {
  try {
    return [readStartedRun(folder)];
  } catch (error) {
    if (!G2DError.isInstance(error)) throw error;
    note(error.message);
    return [];
  }
}
