// `npm run leaderboard`: every method of @g2d/methods on the small AV-MNIST. What is tuned is chosen on the validation split with one
// seed and the same small budget, then trained with every seed.
import { commandLine, engineOf, parseArguments, parseWhole, sweepInTerminal } from '@g2d/cli/internal';
import { G2DError, OptionError } from '@g2d/core';
import { writeFileAtomic } from '@g2d/formats/node';
import { NativeError } from '@g2d/native';
import type { PlannedRun, SweepEngine } from '@g2d/runs';
import { formatted, readmesWithTables } from '../../scripts/readme-tables.js';
import {
  definitionOf,
  entrants,
  runsOf,
  together,
  TUNING_SEED,
  type LeaderboardOptions,
} from './leaderboard/plan.js';
import {
  leaderboardText,
  PUBLISHED,
  readChosen,
  resultsJson,
  resultsOf,
  writeResults,
} from './leaderboard/results.js';
import { candidatesOf, choose, formatTuning, writeTuning, type Choice } from './leaderboard/tuning.js';

const OPTIONS = {
  seeds: { value: 'LIST', default: '0,1,2', help: 'seeds of the numbers (default 0,1,2)' },
  epochs: { value: 'N', default: '60', help: 'epochs of each training (default 60)' },
  methods: { value: 'LIST', help: 'names of methods, such as joint,smp (default: all)' },
  out: {
    value: 'DIR',
    default: 'runs/leaderboard',
    help: 'where the run folders go (default runs/leaderboard)',
  },
  jobs: { value: 'N', default: '1', help: 'so many at once, each in a process of its own (default 1)' },
  publish: {
    help: 'write the numbers of all methods into the repository, and their table into the README of @g2d/methods',
  },
  help: { help: 'this text' },
} as const;

export const HELP = `Trains every method on the small AV-MNIST and puts them into one table.

Usage: npm run leaderboard -- [options]

${Object.entries(OPTIONS)
  .map(
    ([name, option]) => `  --${`${name} ${'value' in option ? option.value : ''}`.padEnd(14)}${option.help}`,
  )
  .join('\n')}

First each method is trained with at most four settings and seed ${TUNING_SEED}: two learning rates by two values of its own strength, or four
learning rates if it has none. The best on the validation split is trained with every seed; test scores are of that one alone. Teachers have
the learning rate of their students. The folder gets tuning.json, leaderboard.json, leaderboard.md and leaderboard.html.

What is finished is not trained again, and an interrupted run goes on, when the same command is given once more.
`;

interface Command extends LeaderboardOptions {
  readonly seeds: readonly number[];
  readonly engine: SweepEngine;
  readonly publish: boolean;
}

/**
 * Reads the command line.
 *
 * @throws {OptionError} If a value is impossible.
 */
export function parseLeaderboard(args: readonly string[]): Command {
  const { values, positionals } = parseArguments(OPTIONS, args);
  if (positionals[0] !== undefined) {
    throw new OptionError(`"${positionals[0]}" is no option; npm run leaderboard -- --help lists them.`, {
      option: 'options',
      value: positionals[0],
      accepted: Object.keys(OPTIONS).join(', '),
    });
  }
  const all = entrants.map(({ name }) => name);
  const wanted = values.methods?.split(',').map((name) => definitionOf(name).name);
  if (wanted && values.publish) {
    throw new OptionError('--publish is of all methods, and --methods names some. Leave one of them out.', {
      option: 'methods',
      value: values.methods,
      accepted: 'all methods',
    });
  }
  const { out, jobs, publish } = values;
  return {
    names: all.filter((name) => !wanted || wanted.includes(name)),
    epochs: parseWhole('epochs', values.epochs, 2),
    seeds: [...new Set(values.seeds.split(',').map((seed) => parseWhole('seeds', seed, 0)))],
    out,
    engine: engineOf({ engine: 'local', jobs, trust: false }),
    publish,
  };
}

/** The runs at the chosen settings. */
const chosenRuns = (
  choices: readonly Pick<Choice, 'method' | 'setting'>[],
  command: Command,
): Promise<readonly (readonly PlannedRun[])[]> =>
  Promise.all(
    choices.map(({ method, setting }) => runsOf(method, { seeds: command.seeds, setting }, command)),
  );

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(HELP);
    return 0;
  }
  const command = parseLeaderboard(args);
  const { out, engine } = command;
  const say = (line: string): void => void process.stderr.write(`${line}\n`);

  const candidates = await candidatesOf(command);
  const tried = [...candidates.values()].flatMap((all) => all.map(({ runs }) => runs));
  const tuning = together(tried, out);
  // Which settings come later is not known yet; how many runs, is.
  const first = [...candidates].map(([method, [one]]) => ({ method, setting: one!.setting }));
  const later = together(await chosenRuns(first, command), out).runs;
  say(`${tuning.runs.length} runs to choose the settings, then ${later.length} with them, in ${out}`);
  const tuned = await sweepInTerminal(tuning, { engine, later });
  if (tuned.exitCode > 1) return tuned.exitCode;

  const choices = choose(candidates, out);
  const lost = command.names.filter((name) => !choices.some(({ method }) => method === name));
  for (const name of lost) say(`${name} has no finished run with any setting, and is left out.`);
  if (choices.length === 0) return 1;
  say(`\n${formatTuning(choices)}\n${writeTuning(choices, out)}\n`);

  const chosen = await chosenRuns(choices, command);
  // What failed is not tried once more in the same call.
  const done = tuning.runs.filter(({ id }) =>
    tuned.status.some((run) => run.id === id && run.state === 'finished'),
  );
  const plan = together([done, ...chosen], out);
  const trained = await sweepInTerminal(plan, { engine });
  if (trained.exitCode > 1) return trained.exitCode;

  const ids = chosen.flatMap((runs) => runs.filter(({ config }) => config.modalities?.length !== 1));
  const runs = readChosen(
    ids.map(({ id }) => id),
    out,
  );
  if (!runs.some(({ summary }) => summary)) {
    say('No run at a chosen setting is finished, so there is no table.');
    return 1;
  }
  const results = resultsOf(runs, {
    choices,
    epochs: command.epochs,
    command: commandLine('npm run leaderboard', args.length > 0 ? ['--', ...args] : []),
  });
  const files = writeResults(results, runs, out);
  process.stdout.write(`${leaderboardText(results, process.stdout.columns ?? Infinity)}\n`);
  for (const file of files) say(file);
  if (command.publish) {
    if (lost.length > 0 || trained.exitCode > 0)
      say('Nothing is published, since a run of the table failed.');
    else await publish(resultsJson(results), say);
  }
  return Math.max(tuned.exitCode, trained.exitCode);
}

async function publish(json: string, say: (line: string) => void): Promise<void> {
  writeFileAtomic(PUBLISHED, await formatted(PUBLISHED, json));
  say(PUBLISHED);
  for (const [path, text] of await readmesWithTables()) writeFileAtomic(path, text);
}

if (process.argv[1] === import.meta.filename) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    if (!G2DError.isInstance(error) && !NativeError.isInstance(error)) throw error;
    console.error(`g2d: ${error.message}`);
    process.exitCode = 2;
  }
}
