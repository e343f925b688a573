import { G2DError, OptionError } from '@g2d/core';
import type { PlannedRun } from '@g2d/runs';
import { findDataset } from '@g2d/runs/internal';
import type { TablePlan } from './plan-table.js';

/** Which datasets of a plan are there. */
export interface PresentData {
  /** Training samples by dataset. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Of the others, what is missing and how to get it: one sentence each. */
  readonly absent: ReadonlyMap<string, string>;
}

/** Looks whether the data of a table lie where its configurations say. */
export async function presentData({
  members,
  pool,
}: Pick<TablePlan, 'members' | 'pool'>): Promise<PresentData> {
  const sizes = new Map<string, number>();
  const absent = new Map<string, string>();
  const planned = new Map(pool.runs.map((run) => [run.id, run]));
  for (const { id, combination } of members) {
    const { dataset } = combination;
    if (sizes.has(dataset) || absent.has(dataset)) continue;
    try {
      sizes.set(dataset, await sizeOf(planned.get(id) as PlannedRun));
    } catch (error) {
      if (!isAbsent(error)) throw error;
      absent.set(dataset, error.message);
    }
  }
  return { sizes, absent };
}

async function sizeOf({ config }: PlannedRun): Promise<number> {
  const found = await findDataset(config.dataset);
  const train = await found.make({ split: 'train' });
  try {
    return train.size;
  } finally {
    await train.close();
  }
}

const isAbsent = (error: unknown): error is G2DError =>
  G2DError.isInstance(error) && ['G2D_DATASET_NOT_FOUND', 'G2D_FILE'].includes(error.code);

/** @throws {OptionError} If none of the data are there. */
export function assertSomeData({ sizes, absent }: PresentData): void {
  const [first] = absent;
  if (sizes.size > 0 || !first) return;
  const [dataset, message] = first;
  throw new OptionError(`None of the table's data are there; ${dataset}: ${message}`, {
    option: 'dataset',
    value: dataset,
    accepted: 'the data of the table',
  });
}
