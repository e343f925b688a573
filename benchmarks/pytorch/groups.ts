import { epoch, epochTwins } from './epoch.js';
import { growth } from './growth.js';
import { comparisons, twinsOf as twinsOfStep, type Comparison, type Twins } from './programs.js';

/** What `--only` takes: what is compared for a dataset. */
export const groups: Readonly<Record<string, (dataset: string) => readonly Comparison[]>> = {
  ...comparisons,
  growth,
  epoch,
};

/** What must compute the same before a group times it; nothing where the group has nothing to time. */
export function twinsOf(group: string, dataset: string): Twins | undefined {
  if (groups[group]?.(dataset).length === 0) return undefined;
  return group === 'epoch' ? epochTwins : twinsOfStep(group, dataset);
}
