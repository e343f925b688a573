// Our training steps next to PyTorch's: npm run bench:pytorch. Each in a process of its own, in turn.
import { availableParallelism, cpus, loadavg } from 'node:os';
import { formatNumber, G2DError } from '@g2d/core';
import { main } from '../shared/main.js';
import { markdownTable, writeBetweenMarks } from '../shared/markdown.js';
import { table } from '../shared/table.js';
import { checkTwin } from './check-twins.js';
import { rowsOf } from './format.js';
import { HELP, parseOptions, type Options } from './options.js';
import { groups as allGroups, twinsOf } from './groups.js';
import { programsOf, type Comparison } from './programs.js';
import { pythonWithTorch } from './python.js';
import { ratioOf, type Measurement } from './ratios.js';
import { measureProgram, type Setting } from './run-program.js';

/** Mean number of running processes in the last minute, above which numbers are not worth much. */
const BUSY = 0.5;
/** The batch that the goals are meant for. */
const BATCH = 16;

async function compare(options: Options): Promise<void> {
  const { groups, datasets, batch, rounds, steps, warmup, through, json, markdown } = options;
  const threads = availableParallelism();
  const setting: Setting = { python: pythonWithTorch(options), threads, through };
  const load = loadavg()[0] as number;
  if (load > BUSY) {
    say(
      `The load of the last minute is ${formatNumber(load)}. If other programs are still running, stop them: PyTorch's threads suffer more from that than TensorFlow's, so the ratios would flatter us.`,
    );
  }
  const chosen = groups.map((group) => ({
    group,
    comparisons: datasets.flatMap((dataset) => allGroups[group]?.(dataset) ?? []),
  }));
  await checkTwins(options, setting);
  const { measured, failed, torch } = await measureAll(
    chosen.flatMap((group) => group.comparisons),
    options,
    setting,
  );
  const results = chosen.map(({ group, comparisons }) => ({
    group,
    ratios: comparisons
      .filter((comparison) => !programsOf([comparison]).some(({ name }) => failed.has(name)))
      .map((comparison) => ratioOf(comparison, measured, batch === BATCH)),
  }));
  const machine = { cpu: cpus()[0]?.model, cores: threads, load, node: process.versions.node, torch };
  if (json) {
    const programs = [...measured].map(([name, each]) => ({ name, rounds: each }));
    process.stdout.write(`${JSON.stringify({ batch, steps, warmup, rounds, machine, programs, results })}\n`);
  } else {
    process.stdout.write(
      `batch ${batch}, ${machine.cpu}, ${threads} cores, Node ${machine.node}, PyTorch ${torch}\n` +
        `rounds: ${rounds}; steps in each process: ${steps}, after ${warmup} to warm up\n`,
    );
    for (const { ratios } of results) process.stdout.write(`\n${table(rowsOf(ratios))}`);
  }
  if (failed.size > 0) {
    say(`Left out, since they did not run: ${[...failed].join('; ')}.`);
    process.exitCode = 1;
  }
  if (markdown === undefined) return;
  for (const { group, ratios } of results) {
    writeBetweenMarks(markdown, `bench:pytorch ${group}`, markdownTable(rowsOf(ratios)));
  }
}

/** Nothing is timed before every twin has come to our losses. */
async function checkTwins({ groups, datasets }: Options, setting: Setting): Promise<void> {
  for (const group of groups) {
    for (const dataset of datasets) {
      const twins = twinsOf(group, dataset);
      if (!twins) continue;
      const worst = await checkTwin(twins, setting);
      say(`${twins.twin.name}: the same losses as ours, but for ${worst.toExponential(1)}`);
    }
  }
}

async function measureAll(
  chosen: readonly Comparison[],
  { rounds, batch, steps, warmup }: Options,
  setting: Setting,
): Promise<{
  readonly measured: ReadonlyMap<string, readonly Measurement[]>;
  /** Programs that did not run: what else was measured is not lost. */
  readonly failed: ReadonlySet<string>;
  readonly torch?: string;
}> {
  const programs = programsOf(chosen);
  const measured = new Map<string, Measurement[]>(programs.map(({ name }) => [name, []]));
  const failed = new Set<string>();
  let torch: string | undefined;
  for (let round = 1; round <= rounds; round++) {
    // There and back, so that a machine which becomes slower does not favour who comes first.
    for (const program of round % 2 === 1 ? programs : programs.toReversed()) {
      if (failed.has(program.name)) continue;
      const result = await measureProgram(program, { batch, steps, warmup }, setting).catch(
        (error: unknown) => {
          if (!(error instanceof G2DError)) throw error;
          say(error.message);
          failed.add(program.name);
        },
      );
      if (!result) continue;
      const { min, median, peakRssMB } = result;
      say(
        `[round ${round} of ${rounds}] ${program.name}: ${formatNumber(min, 0)} ms, median ${formatNumber(median, 0)}, ${formatNumber(peakRssMB, 0)} MB`,
      );
      torch ??= result.torch;
      measured.get(program.name)?.push({ min, median, peakRssMB });
    }
  }
  return { measured, failed, ...(torch && { torch }) };
}

/** Standard output is for results. */
const say = (line: string): void => void process.stderr.write(`${line}\n`);

await main({ name: 'bench:pytorch', help: HELP, parse: parseOptions, run: compare });
