import { OptionError, shown, checkKeys } from '@g2d/core';
import { deriveSeed, randomStream } from '@g2d/tensor-ops';

/** Settings of `splitByFraction`. */
export interface SplitByFractionOptions<P extends string> {
  /** Split → its share, together 1: `{ train: 0.8, validation: 0.1, test: 0.1 }`. */
  readonly fractions: Readonly<Record<P, number>>;
  /** Default 0. */
  readonly seed?: number;
  /** What must not be in two splits, such as the actor or the session of a sample. Default: every sample on its own. */
  readonly groupOf?: (id: string) => string;
}

/**
 * Divides samples into splits of given sizes at random; each id ends in exactly one split, and a group never in two.
 *
 * Without groups the sizes are exact up to rounding (largest remainders). Groups are taken in random order, each into the split
 * that still lacks most of its size; few large groups make sizes rough. Which split an id is in depends on the seed and
 * on the ids as a set, not on their order, since the order of files in a folder differs between machines.
 *
 * @param ids Distinct.
 * @returns Split → its ids, in the order of `ids`.
 * @throws {OptionError} If fractions do not sum to 1, an id comes twice, or a split with a share gets nothing.
 * @example
 * splitByFraction(ids, { fractions: { train: 0.8, test: 0.2 }, seed: 0, groupOf: (id) => id.slice(0, 4) }).train;
 */
export function splitByFraction<P extends string>(
  ids: readonly string[],
  options: SplitByFractionOptions<P>,
): Record<P, string[]> {
  const {
    fractions,
    seed = 0,
    groupOf = (id: string) => id,
  } = checkKeys(options, { fractions: true, seed: true, groupOf: true }, 'splitByFraction');
  const parts = Object.keys(fractions) as P[];
  checkFractions(fractions);
  const members = new Map<string, string[]>();
  for (const id of checkedIds(ids)) {
    const group = groupOf(id);
    const others = members.get(group);
    if (others) others.push(id);
    else members.set(group, [id]);
  }

  const wanted = exactSizes(ids.length, parts, fractions);
  const lacking = { ...wanted };
  const partOf = new Map<string, P>();
  // Sorted by code units: the same on every machine, which the user's language would not be.
  const groups = [...members.keys()].sort();
  for (const at of randomStream(deriveSeed(seed, 'split')).permutation(groups.length)) {
    const group = members.get(groups[at] as string) as string[];
    const part = parts.reduce((best, next) => (lacking[next] > lacking[best] ? next : best));
    lacking[part] -= group.length;
    for (const id of group) partOf.set(id, part);
  }

  const split = Object.fromEntries(parts.map((part) => [part, [] as string[]])) as Record<P, string[]>;
  for (const id of ids) split[partOf.get(id) as P].push(id);
  for (const part of parts) {
    if (split[part].length === 0 && fractions[part] > 0) {
      throw new OptionError(
        `Nothing is left for "${part}" (${fractions[part]} of ${ids.length} samples in ${groups.length} groups). Give it a larger share, or make smaller groups.`,
        { option: 'fractions', value: fractions, accepted: 'shares that give every split a sample' },
      );
    }
  }
  return split;
}

/** Whole numbers that sum to `total`: rounded down, then one more for the largest remainders. */
function exactSizes<P extends string>(
  total: number,
  parts: readonly P[],
  fractions: Readonly<Record<P, number>>,
): Record<P, number> {
  const sizes = Object.fromEntries(
    // 0.1 · 30 is 3.0000000000000004 and 0.29 · 100 is 28.999999999999996.
    parts.map((part) => [part, Math.floor(total * fractions[part] + 1e-9)]),
  ) as Record<P, number>;
  const rest = total - parts.reduce((sum, part) => sum + sizes[part], 0);
  const byRemainder = [...parts].sort(
    (a, b) => total * fractions[b] - sizes[b] - (total * fractions[a] - sizes[a]),
  );
  for (const part of byRemainder.slice(0, rest)) sizes[part]++;
  return sizes;
}

function checkFractions(fractions: Readonly<Record<string, number>>): void {
  const shares = Object.values(fractions);
  const sum = shares.reduce((total, share) => total + share, 0);
  if (shares.every((share) => share >= 0) && Math.abs(sum - 1) < 1e-6) return;
  throw new OptionError(
    `\`fractions\` are ${shown(fractions)} with the sum ${sum}; they must be 0 or more and sum to 1.`,
    { option: 'fractions', value: fractions, accepted: 'shares ≥ 0 that sum to 1' },
  );
}

function checkedIds(ids: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  for (const id of ids) {
    if (seen.has(id)) {
      throw new OptionError(`The id "${id}" comes twice; each sample needs one of its own.`, {
        option: 'ids',
        value: id,
        accepted: 'distinct ids',
      });
    }
    seen.add(id);
  }
  return ids;
}
