import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { G2DError } from '@g2d/core';
import { describeNetwork } from './networks.js';
import type { Program } from './programs.js';
import type { Measurement } from './ratios.js';

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** Where and how programs run. */
export interface Setting {
  readonly python: string;
  readonly threads: number;
  /** A command, and its arguments, that runs what follows it; empty: none. */
  readonly through: readonly string[];
}

/** What a program measures. */
export interface Sizes {
  readonly batch: number;
  readonly steps: number;
  readonly warmup: number;
}

/** @throws {G2DError} With code `G2D_BENCH` if the program fails. */
export async function measureProgram(
  program: Program,
  sizes: Sizes,
  setting: Setting,
): Promise<Measurement & { readonly torch?: string }> {
  const { ms, peakRssMB, torch } = (await runProgram(program, sizes, setting)) as {
    readonly ms: { readonly min: number; readonly median: number };
    readonly peakRssMB: number;
    readonly torch?: string;
  };
  return { min: ms.min, median: ms.median, peakRssMB, ...(torch && { torch }) };
}

/**
 * The losses of a program's first steps. Ours writes its weights and its batch to `file`, PyTorch's begins with them.
 *
 * @throws {G2DError} With code `G2D_BENCH` if the program fails.
 */
export async function lossesOf(
  { name, args, ...program }: Program,
  { file, batch, steps }: { readonly file: string; readonly batch: number; readonly steps: number },
  setting: Setting,
): Promise<readonly number[]> {
  const recorded = { ...program, name: `${name}, losses`, args: [...args, '--losses', file] };
  const { losses } = (await runProgram(recorded, { batch, steps, warmup: 0 }, setting)) as {
    readonly losses: readonly number[];
  };
  return losses;
}

async function runProgram(
  { name, side, network, args, sizes: own }: Program,
  sizes: Sizes,
  { python, threads, through }: Setting,
): Promise<unknown> {
  const given = Object.entries({ ...sizes, threads, ...own }).flatMap(([option, value]) => [
    `--${option}`,
    String(value),
  ]);
  const program =
    side === 'ours'
      ? [process.execPath, '--conditions=@g2d/source', '--import', 'tsx', here('step.ts')]
      : // No compiled files beside the sources.
        [python, '-B', here('step.py')];
  const text = side === 'ours' ? JSON.stringify(network) : describeNetwork(network);
  const [command, ...rest] = [...through, ...program, '--network', text, ...given, ...args] as [string];
  try {
    const { stdout } = await promisify(execFile)(command, rest);
    return JSON.parse(stdout);
  } catch (error) {
    const { stderr, message } = error as { readonly stderr?: string; readonly message: string };
    const lines = (stderr?.trim() || message).split('\n');
    // Python says it last, Node before the trace and its version.
    const reason = lines.findLast((line) => /^\w*(Error|Exception)\b/.test(line)) ?? (lines.at(-1) as string);
    throw new G2DError('G2D_BENCH', `"${name}" did not run: ${reason}`, { program: name });
  }
}
