import { formatNumber } from '@g2d/core';
// Our training step next to PyTorch's: npm run bench:pytorch. Each in a process of its own, in turn.
import { availableParallelism, cpus, loadavg } from 'node:os';
import { main } from '../shared/main.js';
import { formatResults } from './format.js';
import { HELP, parseOptions, type Options } from './options.js';
import { comparisons, programsOf } from './programs.js';
import { pythonWithTorch } from './python.js';
import { ratioOf, type Measurement } from './ratios.js';
import { runProgram } from './run-program.js';

/** Mean number of running processes in the last minute, above which numbers are not worth much. */
const BUSY = 0.5;

async function compare({ groups, rounds, install, json, ...sizes }: Options): Promise<void> {
  const chosen = Object.keys(comparisons)
    .filter((group) => groups.includes(group))
    .flatMap((group) => comparisons[group] ?? []);
  const programs = programsOf(chosen);
  const needsPyTorch = programs.some(({ side }) => side === 'pytorch');
  const threads = availableParallelism();
  const { dataset, batch, steps, warmup } = sizes;
  const python = needsPyTorch ? pythonWithTorch({ install }) : '';

  const load = loadavg()[0] as number;
  if (load > BUSY) {
    process.stderr.write(
      `The load of the last minute is ${formatNumber(load)}. If other programs are still running, stop them: PyTorch's threads suffer more from that than TensorFlow's, so the ratios would flatter us.\n`,
    );
  }
  const measured = new Map<string, Measurement[]>(programs.map(({ name }) => [name, []]));
  let torch: string | undefined;
  for (let round = 1; round <= rounds; round++) {
    // There and back, so that a machine which becomes slower does not favour who comes first.
    for (const program of round % 2 === 1 ? programs : programs.toReversed()) {
      process.stderr.write(`[round ${round} of ${rounds}] ${program.name}\n`);
      const result = await runProgram(program, { dataset, batch, steps, warmup, python, threads });
      process.stderr.write(`  ${formatNumber(result.ms, 0)} ms, ${result.peakRssMB} MB\n`);
      torch ??= result.torch;
      measured.get(program.name)?.push(result);
    }
  }

  // The goals are for the shapes of the paper's main dataset.
  const withGoals = dataset === 'crema-d' && batch === 16;
  const ratios = chosen.map((comparison) => ratioOf(comparison, measured, withGoals));
  const machine = { cpu: cpus()[0]?.model, cores: threads, load, node: process.versions.node, torch };
  if (json) {
    const times = programs.map(({ name }) => ({
      name,
      ms: measured.get(name)?.map(({ ms }) => ms),
      peakRssMB: measured.get(name)?.map(({ peakRssMB }) => peakRssMB),
    }));
    const report = { dataset, batch, steps, warmup, rounds, machine, programs: times, ratios };
    process.stdout.write(`${JSON.stringify(report)}\n`);
    return;
  }
  const versions = `Node ${machine.node}${torch === undefined ? '' : `, PyTorch ${torch}`}`;
  process.stdout.write(
    `${dataset}, batch ${batch}, ${machine.cpu}, ${threads} cores, ${versions}\n` +
      `rounds: ${rounds}; steps in each process: ${steps}, after ${warmup} to warm up\n\n` +
      formatResults(programs, measured, ratios),
  );
}

await main({ name: 'bench:pytorch', help: HELP, parse: parseOptions, run: compare });
