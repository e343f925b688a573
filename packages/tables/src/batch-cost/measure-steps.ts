import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { G2DError } from '@g2d/core';
import { z } from 'zod';

/** A step as it was measured, in a process of its own. */
export interface MeasuredStep {
  /** Milliseconds: the median of the rounds' medians. */
  readonly ms: number;
  /** Largest memory of a process, in MB of 2^20 bytes. */
  readonly peakMB: number;
}

/** What is measured, in the order of the table: options of `g2d bench step`. */
export const STEPS = {
  joint: ['--method', 'joint'],
  'g2d, joint phase, stored': ['--method', 'g2d', '--phase', 'joint', '--teachers', 'cached'],
  'g2d, prioritized phase, stored': ['--method', 'g2d', '--phase', 'prioritized', '--teachers', 'cached'],
  'g2d, joint phase, online': ['--method', 'g2d', '--phase', 'joint', '--teachers', 'online'],
} as const;

export type StepName = keyof typeof STEPS;

const reportSchema = z.looseObject({ ms: z.looseObject({ median: z.number() }), peakRssMB: z.number() });

/**
 * Measures the steps of Table 10 with `g2d bench step`, in turn, so that what else the machine does meets all of them.
 *
 * @param after After each measurement.
 * @param options Of `g2d bench step`. Default: batches of 16, as published.
 * @throws {G2DError} `G2D_BENCH` if one of them fails.
 */
export async function measureSteps(
  rounds: number,
  after: (name: StepName) => void,
  options: readonly string[] = ['--batch', '16'],
): Promise<ReadonlyMap<StepName, MeasuredStep>> {
  const names = Object.keys(STEPS) as StepName[];
  const found = new Map(names.map((name): [StepName, MeasuredStep[]] => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      found.get(name)?.push(await measure(name, options));
      after(name);
    }
  }
  return new Map(
    names.map((name) => {
      const own = found.get(name) as MeasuredStep[];
      const sorted = own.map(({ ms }) => ms).sort((a, b) => a - b);
      const ms = sorted[Math.floor((sorted.length - 1) / 2)] as number;
      return [name, { ms, peakMB: Math.max(...own.map(({ peakMB }) => peakMB)) }];
    }),
  );
}

async function measure(name: StepName, options: readonly string[]): Promise<MeasuredStep> {
  const home = dirname(createRequire(import.meta.url).resolve('@g2d/cli/package.json'));
  const args = ['bench', 'step', '--dataset', 'crema-d', ...options, ...STEPS[name], '--json'];
  const child = spawn(process.execPath, [join(home, 'bin/g2d.js'), ...args]);
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => void (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => void (err += chunk.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  const report = code === 0 ? reportSchema.safeParse(JSON.parse(out)) : undefined;
  if (report?.success) return { ms: report.data.ms.median, peakMB: report.data.peakRssMB };
  const last = err.trim().split('\n').at(-1) ?? '';
  throw new G2DError('G2D_BENCH', `The step of ${name} could not be measured: ${last}`, { name });
}
