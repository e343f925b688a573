// Plain TensorFlow.js layers next to accelerated ones: npm run bench:accelerate. Each in a process of its own, in turn.
import { execFile } from 'node:child_process';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { formatNumber, G2DError } from '@g2d/core';
import { main } from '../shared/main.js';
import { median } from '../shared/median.js';
import { table } from '../shared/table.js';
import { architectures, type Architecture } from './architectures.js';
import { HELP, parseOptions, type Options } from './options.js';

/** Mean number of running processes in the last minute, above which numbers are not worth much. */
const BUSY = 0.5;
const step = fileURLToPath(new URL('step.ts', import.meta.url));

/** What one process measured. */
interface Measurement {
  /** Median of its steps. */
  readonly ms: number;
  /** The fastest of its steps: what is left of the numbers on a machine that others use. */
  readonly fastestMs: number;
  readonly peakRssMB: number;
}

/** Both ways of one model in one round. */
interface Round {
  readonly plain: Measurement;
  readonly accelerated: Measurement;
}

/** @throws {G2DError} With code `G2D_BENCH` if the program fails. */
async function measure(
  architecture: string,
  way: keyof Round,
  { steps, warmup, seconds }: Options,
): Promise<Measurement> {
  const sizes = Object.entries({ architecture, steps, warmup, seconds }).flatMap(([option, value]) => [
    `--${option}`,
    String(value),
  ]);
  const flags = ['--conditions=@g2d/source', '--import', 'tsx'];
  const args = [...flags, step, ...sizes, ...(way === 'accelerated' ? ['--accelerated'] : [])];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, args);
    return JSON.parse(stdout) as Measurement;
  } catch (error) {
    const { stderr, message } = error as { readonly stderr?: string; readonly message: string };
    throw new G2DError('G2D_BENCH', `${architecture}, ${way}, did not run: ${stderr?.trim() || message}`, {
      architecture,
      way,
    });
  }
}

async function measureRound(architecture: string, round: number, options: Options): Promise<Round> {
  const result: { -readonly [Way in keyof Round]?: Measurement } = {};
  // There and back, so that a machine which becomes slower does not favour who comes first.
  const ways = ['plain', 'accelerated'] as const;
  for (const way of round % 2 === 1 ? ways : ways.toReversed()) {
    const measured = await measure(architecture, way, options);
    process.stderr.write(
      `[round ${round} of ${options.rounds}] ${architecture}, ${way}: ${formatNumber(measured.ms)} ms, ${formatNumber(measured.peakRssMB, 0)} MB\n`,
    );
    result[way] = measured;
  }
  return result as Round;
}

/** Accelerated over plain: the smallest, the median and the largest ratio of the rounds, that of the fastest steps of all, and that of median memories. */
function compareRounds(rounds: readonly Round[]) {
  const ratios = rounds.map(({ plain, accelerated }) => accelerated.ms / plain.ms);
  const of = (way: keyof Round, key: keyof Measurement): number =>
    median(rounds.map((round) => round[way][key]));
  const [plain, accelerated] = (['plain', 'accelerated'] as const).map((way) => ({
    ms: of(way, 'ms'),
    fastestMs: Math.min(...rounds.map((round) => round[way].fastestMs)),
    peakRssMB: of(way, 'peakRssMB'),
  })) as [Measurement, Measurement];
  return {
    plain,
    accelerated,
    ratio: { min: Math.min(...ratios), median: median(ratios), max: Math.max(...ratios) },
    fastest: accelerated.fastestMs / plain.fastestMs,
    memory: accelerated.peakRssMB / plain.peakRssMB,
  };
}

async function compare(options: Options): Promise<void> {
  const { only, rounds, steps, warmup, seconds, json } = options;
  const load = loadavg()[0] as number;
  if (load > BUSY) {
    process.stderr.write(
      `The load of the last minute is ${formatNumber(load)}. If other programs are still running, stop them: they blur the ratios.\n`,
    );
  }
  const measured = new Map<string, Round[]>(only.map((name) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const [name, results] of measured) results.push(await measureRound(name, round, options));
  }
  const results = [...measured].map(([name, each]) => {
    const { summary, batch } = architectures[name] as Architecture;
    return { name, summary, batch, ...compareRounds(each), rounds: each };
  });
  const machine = {
    cpu: cpus()[0]?.model,
    cores: availableParallelism(),
    load,
    node: process.versions.node,
  };
  if (json) {
    process.stdout.write(`${JSON.stringify({ steps, seconds, warmup, rounds, machine, results })}\n`);
    return;
  }
  const header = [
    'one step',
    'batch',
    'plain, ms',
    'accelerated, ms',
    'ratio',
    'rounds',
    'fastest',
    'memory, MB',
    'ratio',
  ];
  const lines = results.map(({ summary, batch, plain, accelerated, ratio, fastest, memory }) => [
    summary,
    String(batch),
    formatNumber(plain.ms),
    formatNumber(accelerated.ms),
    formatNumber(ratio.median, 2),
    `${formatNumber(ratio.min, 2)} … ${formatNumber(ratio.max, 2)}`,
    formatNumber(fastest, 2),
    `${formatNumber(plain.peakRssMB, 0)} → ${formatNumber(accelerated.peakRssMB, 0)}`,
    formatNumber(memory, 2),
  ]);
  process.stdout.write(
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}\n` +
      `rounds: ${rounds}; at least ${steps} steps and ${seconds} s in each process, after ${warmup} to warm up\n\n` +
      table([header, ...lines]),
  );
}

await main({ name: 'bench:accelerate', help: HELP, parse: parseOptions, run: compare });
