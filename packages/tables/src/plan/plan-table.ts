import { OptionError } from '@g2d/core';
import { planPool, readSweep, type PoolMember, type Sweep, type SweepPool } from '@g2d/runs';
import { resultKeys } from '../results/result-keys.js';
import { sweepFiles, type Scale } from './places.js';

/** How sweeps of a scale are planned. */
export interface PlanOptions {
  readonly scale: Scale;
  /** Default: the first that the sweeps have. */
  readonly protocol?: string | undefined;
  /** In place of those of the sweeps. */
  readonly seeds?: readonly number[] | undefined;
}

/** The runs of a table or of several, and what they are known by. */
export interface TablePlan {
  readonly scale: Scale;
  readonly protocol: string;
  readonly pool: SweepPool;
  /** Students, in the order of the sweeps. */
  readonly members: readonly PoolMember[];
  /** What the sweeps' files say for readers. */
  readonly notes: readonly string[];
  /** By id. */
  readonly keys: ReadonlyMap<string, string>;
}

/**
 * Plans the runs of a table, or of all tables and figures of a scale: nothing is written.
 *
 * @param place Such as `table-4`. Default: all.
 * @throws {OptionError} If there is no sweep of it at this scale, or no such protocol.
 */
export async function planTable(place: string | undefined, options: PlanOptions): Promise<TablePlan> {
  const { scale } = options;
  const files = sweepFiles(scale, place);
  if (files.length === 0) {
    throw new OptionError(`There is no sweep of ${place ?? 'any table'} at the scale ${scale}.`, {
      option: 'scale',
      value: scale,
      accepted: 'a scale that the table has',
    });
  }
  const sweeps = files.map((file) => changed(readSweep(file), options));
  const pool = await planPool(sweeps);
  return {
    scale,
    protocol: protocolOf(sweeps),
    // Whoever plans one table leaves the others' runs in the manifest.
    pool: { ...pool, isShared: true },
    members: Object.values(pool.members).flat(),
    notes: [...new Set(sweeps.flatMap(({ note }) => note ?? []))],
    keys: resultKeys(pool.runs),
  };
}

function changed(sweep: Sweep, { scale, protocol, seeds }: PlanOptions): Sweep {
  const known = Object.keys(sweep.protocols ?? {});
  if (protocol !== undefined && !known.includes(protocol)) {
    const all = known.length === 0 ? 'has one protocol, and no name for it' : `has ${known.join(', ')}`;
    throw new OptionError(`--protocol is "${protocol}", and the scale ${scale} ${all}.`, {
      option: 'protocol',
      value: protocol,
      accepted: known.join(', '),
    });
  }
  return {
    ...sweep,
    ...(protocol !== undefined && { protocol }),
    ...(seeds && { grid: { ...sweep.grid, seed: [...seeds] } }),
  };
}

const protocolOf = (sweeps: readonly Sweep[]): string =>
  sweeps.flatMap(({ protocol, protocols = {} }) => protocol ?? Object.keys(protocols)[0] ?? [])[0] ?? '';
