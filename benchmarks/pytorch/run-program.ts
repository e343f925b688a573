import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { G2DError } from '@g2d/core';
import type { Options } from './options.js';
import type { Program } from './programs.js';
import type { Measurement } from './ratios.js';

const g2d = fileURLToPath(new URL('../../packages/cli/bin/g2d.js', import.meta.url));
const step = fileURLToPath(new URL('step.py', import.meta.url));

/** Where and how programs run. */
export interface Setting extends Pick<Options, 'dataset' | 'batch' | 'steps' | 'warmup'> {
  readonly python: string;
  readonly threads: number;
}

/** @throws {G2DError} With code `G2D_BENCH` if the program fails. */
export async function runProgram(
  { name, side, args }: Program,
  { dataset, batch, steps, warmup, python, threads }: Setting,
): Promise<Measurement & { readonly torch?: string }> {
  const sizes = Object.entries({ dataset, batch, steps, warmup }).flatMap(([option, value]) => [
    `--${option}`,
    String(value),
  ]);
  const [command, rest] =
    side === 'ours'
      ? // TensorFlow takes all cores by itself. Without it the comparison would be one of something else.
        [process.execPath, [g2d, 'bench', 'step', '--json', '--backend', 'tensorflow']]
      : [python, [step, '--threads', String(threads)]];
  try {
    const { stdout } = await promisify(execFile)(command, [...rest, ...sizes, ...args]);
    const { ms, peakRssMB, torch } = JSON.parse(stdout) as {
      readonly ms: { readonly median: number };
      readonly peakRssMB: number;
      readonly torch?: string;
    };
    return { ms: ms.median, peakRssMB, ...(torch && { torch }) };
  } catch (error) {
    const { stderr, message } = error as { readonly stderr?: string; readonly message: string };
    const reason = (stderr?.trim() || message).split('\n').at(-1) as string;
    throw new G2DError('G2D_BENCH', `"${name}" did not run: ${reason}`, { program: name });
  }
}
