import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatDigits, G2DError } from '@g2d/core';
import type { Program } from './programs.js';
import { lossesOf, type Setting } from './run-program.js';

/** Of a loss, at most. Both compute in float32 and add up in other orders; a wrong layer or gradient moves a loss by far more. */
const TOLERANCE = 1e-3;
const STEPS = 3;
/** Small, since what is compared does not depend on it. */
const BATCH = 4;

/**
 * Trains ours and PyTorch's network from the same weights on the same batch, and compares their losses: the second one has gone
 * through every gradient and the optimizer.
 *
 * @param ours A program of ours, and PyTorch's that is to compute the same.
 * @returns The largest relative difference.
 * @throws {G2DError} With code `G2D_BENCH` if a loss differs: what computes something else is not timed.
 */
export async function checkTwin(
  { ours, twin }: { readonly ours: Program; readonly twin: Program },
  setting: Setting,
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'g2d-bench-'));
  try {
    const shared = { file: join(folder, 'step.safetensors'), batch: BATCH, steps: STEPS };
    const expected = await lossesOf(ours, shared, setting);
    const found = await lossesOf(twin, shared, setting);
    return compareLosses(twin.name, expected, found);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @throws {G2DError} With code `G2D_BENCH` if a loss differs, or one is missing. */
export function compareLosses(name: string, ours: readonly number[], theirs: readonly number[]): number {
  const differences = ours.map((loss, step) => Math.abs((theirs[step] ?? NaN) - loss) / Math.abs(loss));
  const worst = Math.max(...differences);
  // NaN is not below anything.
  if (ours.length > 0 && worst <= TOLERANCE) return worst;
  const shown = (losses: readonly number[]): string => losses.map((loss) => formatDigits(loss, 6)).join(', ');
  throw new G2DError(
    'G2D_BENCH',
    `"${name}" computes something else than ours, so it is not timed: from the same weights on the same batch its losses are ${shown(theirs)}, and ours ${shown(ours)}.`,
    { program: name, ours, theirs },
  );
}
