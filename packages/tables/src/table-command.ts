import { OptionError, printable } from '@g2d/core';
import { defineCommand } from '@g2d/cli';
import { commandLine, engineOf, engineOptions, planOn, sweepInTerminal } from '@g2d/cli/internal';
import { writeFileAtomic } from '@g2d/formats/node';
import { createProgress } from '@g2d/runs';
import { buildTable } from './build-table.js';
import { costTable } from './batch-cost/cost-table.js';
import { measureSteps, STEPS } from './batch-cost/measure-steps.js';
import { dryRun } from './dry-run.js';
import { parseSeeds } from './parse-seeds.js';
import { openRuns, partOf } from './plan/open-runs.js';
import { LITERAL, parseScale, parseTable, SCALES } from './plan/places.js';
import { planTable } from './plan/plan-table.js';
import { assertSomeData, presentData } from './plan/present-data.js';
import { knownResults } from './results/known-results.js';
import { readResults } from './results/results-file.js';
import { FORMAT_NAMES, formatOf, formatted } from './render/format.js';
import type { PrintedTable } from './render/printed-table.js';

/** Rounds of Table 10's measurements. */
const ROUNDS = 3;

/** Tables with cells of teachers. */
const WITH_TEACHERS = [1, 2, 3];

/** `g2d table`. */
export const tableCommand = defineCommand({
  usage: 'N [options]',
  description: `Prints one of the paper's tables with our numbers: mean and deviation over seeds, best and second, the published numbers, whether each of the paper's claims holds, and every note that a reader needs.

What is missing is trained first, each run once for all tables of a scale; what is finished stays, and the same command goes on after an interruption. A run that fails is named, and its cells are —. Started in the folder of the repository.`,
  options: {
    scale: {
      value: 'NAME',
      default: 'small',
      help: `${SCALES.join(', ')}: a few samples of the tests' fixtures; real data that come with the repository (default); the paper's data and settings`,
    },
    protocol: {
      value: 'NAME',
      help: 'at the scale paper: published (all training samples, best epoch on test; default), or validation',
    },
    seeds: { value: 'LIST', help: "such as 0,1,2, in place of the scale's" },
    ...engineOptions,
    results: {
      value: 'FILE',
      multiple: true,
      help: 'results that g2d tables collect wrote, of runs that are not here: they are not trained again; may be given several times',
    },
    format: {
      value: 'NAME',
      help: `${FORMAT_NAMES.join(', ')} (default: by the ending of --out, else text)`,
    },
    out: { value: 'FILE', help: 'writes the table there' },
    'dry-run': { help: 'says how many runs there are and what they take, and trains nothing' },
    'no-train': { help: 'prints what has been run' },
    'allow-mixed': { help: 'averages runs of different versions' },
    literal: {
      help: 'of Table 7: the other reading of its labels, in which a run has as many epochs as its phases together',
    },
    measure: { help: 'of Table 10: times the steps on this machine' },
    quiet: { help: 'no progress' },
  },
  details: `Exit code: 0; 1 if a run failed; 2 for an error that says what to do; 130 if interrupted.

Example: g2d table 4 --scale small --jobs 2
         g2d table 1 --scale paper --protocol validation --dry-run
         g2d table 9 --no-train --results results/small.json --out table-9.html`,
  async run({ values, positionals: [number, ...rest], args }, { out, err }) {
    if (rest.length > 0) {
      throw new OptionError(`"${rest[0]}" is one argument too many; it takes one table.`, {
        option: 'N',
        value: rest[0],
        accepted: 'one table',
      });
    }
    const table = parseTable(number);
    if (values.literal && table !== 7) {
      throw new OptionError(`--literal is of Table 7, and this is Table ${table}. Leave it out.`, {
        option: 'literal',
        value: true,
        accepted: 'Table 7',
      });
    }
    const format = formatOf(values.format, values.out);
    const command = commandLine('npx g2d table', args);
    const print = (printed: PrintedTable): void => {
      const text = formatted(
        printed,
        format,
        values.out === undefined ? (process.stdout.columns ?? Infinity) : Infinity,
      );
      if (values.out === undefined) out(text);
      else writeFileAtomic(values.out, text);
    };
    if (table === 10) {
      print(costTable(values.measure ? await measured(values.quiet) : undefined, command));
      return 0;
    }
    const scale = parseScale(values.scale);
    const seeds = parseSeeds(values.seeds);
    const plan = await planTable(values.literal ? LITERAL : `table-${table}`, {
      scale,
      protocol: values.protocol,
      seeds,
    });
    const collected = values.results.flatMap((path) => readResults(path, scale));
    const data = await presentData(plan);
    let known = knownResults(plan, collected);
    const wanted = new Set(WITH_TEACHERS.includes(table) ? plan.members.flatMap(({ needs }) => needs) : []);
    const openOf = (absent: typeof data.absent) =>
      openRuns(plan, {
        known: new Set(known.results.keys()),
        finished: known.finished,
        wanted,
        absent,
      });
    if (values['dry-run']) {
      const all = openOf(new Map());
      const part = planOn(partOf(plan.pool, all), values.processes);
      out(dryRun(plan, { known, data, open: all, processes: part.queues?.processes ?? 1 }));
      return 0;
    }
    const open = values['no-train'] ? [] : openOf(data.absent);
    if (!values['no-train'] && known.results.size === 0) assertSomeData(data);
    let exitCode = 0;
    if (open.length > 0) {
      for (const [, message] of data.absent) err(`${printable(message, { line: true })}\n`);
      const part = planOn(partOf(plan.pool, open), values.processes);
      const engine = engineOf({ ...values, processes: part.queues?.processes ?? 1 }, out);
      const outcome = await sweepInTerminal(part, { engine, quiet: values.quiet });
      exitCode = outcome.exitCode;
      if (engine.handsOver) {
        err(
          'The runs are handed over. Once they are finished, the same command with --no-train prints the table.\n',
        );
        return exitCode;
      }
      // Whoever interrupts wants no table of what happens to be there; --no-train prints it.
      if (exitCode > 1) return exitCode;
      known = knownResults(plan, collected);
    }
    print(
      buildTable({
        number: table,
        literal: values.literal,
        plan,
        known,
        absent: data.absent,
        allowMixed: values['allow-mixed'],
        command,
      }),
    );
    return exitCode;
  },
});

async function measured(quiet: boolean): ReturnType<typeof measureSteps> {
  const count = ROUNDS * Object.keys(STEPS).length;
  const progress = quiet ? undefined : createProgress(count);
  try {
    progress?.stage(`Table 10: ${count} measurements`);
    return await measureSteps(ROUNDS, (name) => {
      progress?.advance(1);
      progress?.stage(name);
    });
  } finally {
    progress?.stop();
  }
}
