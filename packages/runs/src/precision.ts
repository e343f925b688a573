import { describeProcessor, runtimeInfo } from '@g2d/native';
import { bfloat16Problem, type Precision } from '@g2d/accelerate';
import { OptionError } from '@g2d/core';
import type { RunConfig } from './config-schema.js';

type Key = 'precision' | 'teacherPrecision';

/**
 * Settles the precisions of a run before its first step: `"auto"` becomes what the run began with, or what this machine is fast
 * with.
 *
 * @param options `begun`: the configuration that the run began with, if it has begun. `trains`: whether steps follow.
 * @returns The configuration, and why a wish for bfloat16 is not met.
 * @throws {OptionError} If `"bfloat16"` is demanded for steps and cannot be had here.
 */
export function settlePrecision(
  config: RunConfig,
  { begun, trains }: { readonly begun: RunConfig | undefined; readonly trains: boolean },
): { readonly config: RunConfig; readonly notes: readonly string[] } {
  const notes: string[] = [];
  const settle = (key: Key): RunConfig['precision'] => {
    const wish = config[key] === 'auto' && begun ? begun[key] : config[key];
    if (!trains) return wish;
    if (wish === 'bfloat16') assertHas(key);
    if (wish !== 'auto') return wish;
    const problem = bfloat16Problem() ?? slowProblem();
    if (problem === null) return 'bfloat16';
    notes.push(`"${key}" is "auto", which is float32 here: ${problem}.`);
    return 'float32';
  };
  const settled = { precision: settle('precision'), teacherPrecision: settle('teacherPrecision') };
  return { config: { ...config, ...settled }, notes };
}

/**
 * For passes that only read a trained model: the precision it was trained with, or float32 where this machine lacks it. The
 * difference is within the rounding of bfloat16.
 */
export const usablePrecision = (precision: RunConfig['precision']): Precision =>
  precision === 'float32' || bfloat16Problem() !== null ? 'float32' : 'bfloat16';

function assertHas(key: Key): void {
  const problem = bfloat16Problem();
  if (problem === null) return;
  throw new OptionError(
    `"${key}" is "bfloat16", but ${problem} (${here()}). Set it to "float32", or to "auto", which is bfloat16 only where it is fast.`,
    { option: key, value: 'bfloat16', accepted: '"float32", "auto"' },
  );
}

/** Why bfloat16 would be slower than float32, though it can be had. */
function slowProblem(): string | null {
  const { device, processor } = runtimeInfo() ?? {};
  if (!processor || device === 'gpu') return null;
  return processor.bfloat16 ? null : `this processor has no units for bfloat16 (${here()})`;
}

function here(): string {
  const processor = runtimeInfo()?.processor;
  return processor ? `here: ${describeProcessor(processor)}` : 'an unknown processor';
}
