import type { RecordedStage, TimedCall } from './operation-times.js';
import { workOf } from './operation-work.js';
import type { ProcessorLimits } from './processor-limits.js';

/** What one operation is in a step, or several together, or what is none. */
export interface OperationRow {
  readonly operation: string;
  /** A step. */
  readonly calls?: number;
  /** A step. */
  readonly ms: number;
  /** Of the step's time, in [0, 1]. */
  readonly share: number;
  /** Multiplications and additions of convolutions and products, a step, in 10⁹; of a convolution as many as without a transform. */
  readonly gigaflops?: number;
  /** Where multiplications limit it more than memory does. */
  readonly gigaflopsPerSecond?: number;
  /** … and elsewhere. */
  readonly gigabytesPerSecond?: number;
  /** The least time in which these limits let it be done, by its own. */
  readonly ofLimit?: number;
}

/** Below, operations are put together. */
const SMALL = 0.01;

/** When no operation runs: TensorFlow.js and the method, tensors that are made, read and freed, garbage collection, other programs. */
export const BETWEEN = 'JavaScript, and waiting for it';

/**
 * The operations of a step, the longest first; then what is below 1 % of it, together; then the rest of its time. They add up to the step: to the mean of
 * the faster half of the steps, since what disturbs a step falls on any of its parts, and medians of parts do not add up to that of the whole.
 */
export function operationRows(
  recorded: readonly RecordedStage[],
  limits: ProcessorLimits,
): readonly OperationRow[] {
  const stages = recorded.map(({ share, steps }) => ({ share, steps: fasterHalf(steps) }));
  const ms = stages.reduce((sum, { share, steps }) => sum + share * mean(steps.map((step) => step.ms)), 0);
  const sums = [...meanSums(stages, limits)]
    .filter(([, sum]) => sum.ms > 0)
    .sort(([, a], [, b]) => b.ms - a.ms);
  const large = sums.filter(([, sum]) => sum.ms >= SMALL * ms);
  const small = sums.slice(large.length).map(([, sum]) => sum);
  const others = `${small.length} ${small.length === 1 ? 'other' : 'others'}`;
  const rows = [...large, ...(small.length > 0 ? [[others, small.reduce(plus)] as const] : [])].map(
    ([operation, sum]): OperationRow => ({ operation, ...rowOf(sum, ms) }),
  );
  const rest = ms - rows.reduce((sum, part) => sum + part.ms, 0);
  return [...rows, { operation: BETWEEN, ms: rest, share: rest / ms }];
}

/** Of the calls of one operation in a step. */
interface Sum {
  readonly calls: number;
  readonly ms: number;
  readonly flops: number;
  readonly bytes: number;
  /** Milliseconds that they would take at the limits: of each call the larger one of what it multiplies and of what it reads and writes. */
  readonly least: number;
  /** … of all calls, by either alone. */
  readonly multiplying: number;
  readonly moving: number;
}

const NONE: Sum = { calls: 0, ms: 0, flops: 0, bytes: 0, least: 0, multiplying: 0, moving: 0 };

const combined = (of: (key: keyof Sum) => number): Sum => ({
  calls: of('calls'),
  ms: of('ms'),
  flops: of('flops'),
  bytes: of('bytes'),
  least: of('least'),
  multiplying: of('multiplying'),
  moving: of('moving'),
});

const plus = (a: Sum, b: Sum): Sum => combined((key) => a[key] + b[key]);

const fasterHalf = (steps: RecordedStage['steps']): RecordedStage['steps'] =>
  steps.toSorted((a, b) => a.ms - b.ms).slice(0, Math.ceil(steps.length / 2));

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** For each operation the mean over the steps of a stage, and over the stages. */
function meanSums(stages: readonly RecordedStage[], limits: ProcessorLimits): ReadonlyMap<string, Sum> {
  const means = new Map<string, Sum>();
  for (const { share, steps } of stages) {
    const sums = steps.map(({ calls }) => sumsOf(calls, limits));
    for (const name of new Set(sums.flatMap((step) => [...step.keys()]))) {
      const own = sums.map((step) => step.get(name) ?? NONE);
      const before = means.get(name) ?? NONE;
      means.set(
        name,
        combined((key) => before[key] + share * mean(own.map((sum) => sum[key]))),
      );
    }
  }
  return means;
}

function sumsOf(calls: readonly TimedCall[], limits: ProcessorLimits): ReadonlyMap<string, Sum> {
  const sums = new Map<string, Sum>();
  for (const call of calls) {
    const { multiplyAdds, bytes } = workOf(call);
    const flops = 2 * multiplyAdds;
    const multiplying = flops / limits.gigaflopsPerSecond / 1e6;
    const moving = bytes / limits.gigabytesPerSecond / 1e6;
    const least = Math.max(multiplying, moving);
    const own = { calls: 1, ms: call.ms, flops, bytes, least, multiplying, moving };
    sums.set(call.operation, plus(sums.get(call.operation) ?? NONE, own));
  }
  return sums;
}

function rowOf(sum: Sum, ms: number): Omit<OperationRow, 'operation'> {
  const { calls, flops, bytes, least, multiplying, moving } = sum;
  const rate = (amount: number): number => amount / sum.ms / 1e6;
  return {
    calls,
    ms: sum.ms,
    share: sum.ms / ms,
    ...(flops > 0 && { gigaflops: flops / 1e9 }),
    ...(multiplying > moving ? { gigaflopsPerSecond: rate(flops) } : { gigabytesPerSecond: rate(bytes) }),
    ofLimit: least / sum.ms,
  };
}
