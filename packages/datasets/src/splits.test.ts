import { randomStream } from '@g2d/tensor-ops';
import { describe, expect, it } from 'vitest';
import { splitByFraction, type SplitByFractionOptions } from './splits.js';

const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => `s${i}`);
const sizes = (split: Readonly<Record<string, readonly string[]>>): number[] =>
  Object.values(split).map(({ length }) => length);

describe('splitByFraction', () => {
  it.each([
    [10, { train: 0.8, validation: 0.1, test: 0.1 }, [8, 1, 1]],
    [100, { a: 0.29, b: 0.71 }, [29, 71]],
    [30, { a: 0.1, b: 0.9 }, [3, 27]],
    [7, { a: 0.5, b: 0.5 }, [4, 3]],
    [5, { a: 1, b: 0 }, [5, 0]],
  ] as [number, Record<string, number>, number[]][])(
    'has the sizes that were asked for: %i into %o',
    (count, fractions, expected) => {
      const split = splitByFraction(ids(count), { fractions, seed: 2 });
      expect(sizes(split)).toEqual(expected);
      expect(Object.values(split).flat().sort()).toEqual(ids(count).sort());
    },
  );

  it('depends on the seed and on the set of ids, not on their order', () => {
    const fractions = { train: 0.5, test: 0.5 };
    const split = splitByFraction(ids(40), { fractions, seed: 1 });
    const rotated = splitByFraction([...ids(40).slice(25), ...ids(40).slice(0, 25)], { fractions, seed: 1 });
    expect(new Set(rotated.train)).toEqual(new Set(split.train));
    expect(splitByFraction(ids(40), { fractions, seed: 2 }).train).not.toEqual(split.train);
    // In the order of the ids given.
    expect(split.train).toEqual(ids(40).filter((id) => split.train.includes(id)));
  });

  it('never puts a group into two splits, whatever the groups', () => {
    for (let seed = 0; seed < 50; seed++) {
      const random = randomStream(seed);
      const count = 40 + random.integer(200);
      const groups = 8 + random.integer(30);
      const actor = new Map(ids(count).map((id) => [id, `actor ${random.integer(groups)}`]));
      const groupOf = (id: string): string => actor.get(id) as string;
      const split = splitByFraction(ids(count), {
        fractions: { train: 0.6, validation: 0.2, test: 0.2 },
        seed,
        groupOf,
      });
      expect(Object.values(split).flat().sort()).toEqual(ids(count).sort());
      const actors = Object.values(split).map((part) => new Set(part.map(groupOf)));
      expect(new Set(actors.flatMap((set) => [...set])).size).toBe(
        actors.reduce((sum, { size }) => sum + size, 0),
      );
      // Off by a group at most.
      const largest = Math.max(
        ...[...new Set(actor.values())].map((g) => [...actor.values()].filter((a) => a === g).length),
      );
      [0.6, 0.2, 0.2].forEach((share, i) => {
        expect(Math.abs((sizes(split)[i] as number) - share * count)).toBeLessThanOrEqual(2 * largest);
      });
    }
  });

  it.each([
    [{ fractions: { a: 0.5, b: 0.4 } }, /sum 0.9/],
    [{ fractions: { a: 1.5, b: -0.5 } }, /0 or more/],
    [{ fractions: { a: NaN, b: 1 } }, /sum to 1/],
    [{ fractions: { a: 0.5, b: 0.5 }, groupOf: () => 'all' }, /Nothing is left for "b".*in 1 groups/],
    [{ fractions: { a: 0.5, b: 0.5 }, seed: 0.5 }, /seed/],
  ] as [SplitByFractionOptions<'a' | 'b'>, RegExp][])('refuses %o', (options, message) => {
    expect(() => splitByFraction(ids(9), options)).toThrow(message);
  });

  it('refuses an id that comes twice', () => {
    expect(() => splitByFraction(['a', 'b', 'a'], { fractions: { train: 1 } })).toThrow(/"a" comes twice/);
  });
});
