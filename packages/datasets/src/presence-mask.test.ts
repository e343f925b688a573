import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { missingShare, presenceMask, type PresenceMaskOptions } from './presence-mask.js';

// Masks that the released generator drew; the file says how.
const golden = JSON.parse(
  readFileSync(new URL('../golden/missing-modalities.json', import.meta.url), 'utf8'),
) as {
  readonly traces: readonly {
    readonly numpy_seed: number;
    readonly rows: number;
    readonly miss_rate: number;
    readonly mask: readonly (readonly number[])[];
  }[];
  readonly statistics: readonly {
    readonly rows: number;
    readonly miss_rate: number;
    readonly per_modality_mean: readonly number[];
    readonly per_modality_std: readonly number[];
  }[];
  readonly infinite_loops: readonly { readonly rows: number; readonly miss_rate: number }[];
};

const sum = (mask: Uint8Array): number => mask.reduce((total, cell) => total + cell, 0);
const rowsOf = (mask: Uint8Array, modalities: number): number[] =>
  Array.from({ length: mask.length / modalities }, (_, i) =>
    sum(mask.subarray(i * modalities, (i + 1) * modalities)),
  );

describe('presenceMask', () => {
  it('"patterns": every set but none and all, as often as any other; half of the cells are missing', () => {
    const mask = presenceMask({ samples: 6000, modalities: 3, seed: 2, sampler: 'patterns' });
    const counts = new Map<string, number>();
    for (let i = 0; i < mask.length; i += 3) {
      const row = mask.subarray(i, i + 3).join('');
      counts.set(row, (counts.get(row) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual(['001', '010', '011', '100', '101', '110']);
    // 1000 each, four standard deviations.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(4 * Math.sqrt(833));
    expect(missingShare(mask)).toBeCloseTo(0.5, 1);
    expect(presenceMask({ samples: 3, modalities: 1, seed: 2, sampler: 'patterns' })).toEqual(
      Uint8Array.of(1, 1, 1),
    );
  });

  it('"samples": the first of each hundred lack one modality, so that a rate r is r / k of the cells', () => {
    const mask = presenceMask({ samples: 250, modalities: 3, rate: 0.29, seed: 2, sampler: 'samples' });
    const rows = rowsOf(mask, 3);
    // Math.trunc(100 × 0.29) is 28, as int(100 * 0.29) in Python.
    expect(rows).toEqual(Array.from({ length: 250 }, (_, i) => (i % 100 < 28 ? 2 : 3)));
    expect(missingShare(mask)).toBeCloseTo((28 + 28 + 28) / 750, 12);
    const lacked = [0, 1, 2].map((j) => rows.filter((_, i) => mask[i * 3 + j] === 0).length);
    expect(Math.min(...lacked)).toBeGreaterThan(15);
    expect(presenceMask({ samples: 9, modalities: 1, rate: 1, seed: 2, sampler: 'samples' })).not.toContain(
      0,
    );
  });

  it.each([
    [{ sampler: 'patterns', rate: 0.5 }, /`rate` is 0.5; it must be left out with the sampler "patterns"/],
    [{ sampler: 'samples' }, /`rate` is undefined; it must be a share of the samples/],
    [{ sampler: 'patterns', modalities: 31 }, /`modalities` is 31; it must be at most 30/],
    [{ sampler: 'mmin' }, /`sampler` is .*one of exact, official, samples, patterns/],
  ])('refuses %j', (options, message) => {
    expect(() => presenceMask({ samples: 5, modalities: 3, seed: 0, ...options } as never)).toThrow(message);
  });

  it.each([
    [10, 3, 0.2, 24],
    [10, 3, 0.5, 15],
    [8, 3, 0.4, 14],
    [7, 2, 0.25, 11],
    [100_000, 3, 0.2, 240_000],
    // At most (k − 1) / k can be missing.
    [10, 3, 0.7, 10],
    [10, 3, 1, 10],
    [10, 1, 0.5, 10],
    [10, 3, 0, 30],
    [0, 3, 0.5, 0],
  ])('has exactly the cells of %i samples × %i at %d', (samples, modalities, rate, cells) => {
    const mask = presenceMask({ samples, modalities, rate, seed: 5 });
    expect([mask.length, sum(mask)]).toEqual([samples * modalities, cells]);
    expect(rowsOf(mask, modalities).every((kept) => kept >= 1)).toBe(true);
  });

  it('is fixed by the seed, and higher rates miss what lower ones miss', () => {
    const options = { samples: 50, modalities: 3, seed: 3 };
    const some = presenceMask({ ...options, rate: 0.2 });
    expect(presenceMask({ ...options, rate: 0.2 })).toEqual(some);
    expect(presenceMask({ ...options, rate: 0.2, seed: 4 })).not.toEqual(some);
    const more = presenceMask({ ...options, rate: 0.5 });
    expect(more.every((cell, i) => cell <= (some[i] as number))).toBe(true);
  });

  it.each(['exact', 'official'] as const)('is as even over modalities as the released one, %s', (sampler) => {
    for (const { rows: samples, miss_rate: rate, ...expected } of golden.statistics) {
      const mask = presenceMask({ samples, modalities: 3, rate, seed: 1, sampler });
      expected.per_modality_mean.forEach((mean, modality) => {
        const share = mask.reduce((total, cell, i) => total + (i % 3 === modality ? cell : 0), 0) / samples;
        expect(Math.abs(share - mean)).toBeLessThan(5 * (expected.per_modality_std[modality] as number));
      });
    }
  });

  it.each(golden.traces.map((trace) => [trace.numpy_seed, trace] as const))(
    'draws what numpy draws with seed %i',
    (seed, { rows: samples, miss_rate: rate, mask }) => {
      expect([...presenceMask({ samples, modalities: 3, rate, seed, sampler: 'official' })]).toEqual(
        mask.flat(),
      );
    },
  );

  it.each(golden.infinite_loops.map(({ rows, miss_rate }) => [rows, miss_rate] as const))(
    'says so where the released generator never ends: %i samples at %d',
    (samples, rate) => {
      expect(() => presenceMask({ samples, modalities: 3, rate, seed: 0, sampler: 'official' })).toThrow(
        /finds no mask .* no number of \d+ cells is within 0.005 .*'exact'/,
      );
    },
  );

  it('gives up after `maxTries`', () => {
    const options: PresenceMaskOptions = {
      samples: 100_000,
      modalities: 3,
      rate: 0.2,
      seed: 0,
      sampler: 'official',
    };
    expect(() => presenceMask({ ...options, maxTries: 2 })).toThrow(/none of 2 masks was within 0.005/);
  });

  it.each([
    [{ rate: -0.1 }, /`rate` is -0.1/],
    [{ rate: 20 }, /`rate` is 20.*0 to 1/],
    [{ rate: NaN }, /`rate`/],
    [{ samples: 1.5 }, /`samples` is 1.5/],
    [{ modalities: 0 }, /`modalities` is 0/],
    [{ maxTries: 0 }, /`maxTries` is 0/],
    [{ sampler: 'old' as 'exact' }, /`sampler` is "old".*exact, official/],
    [{ seed: 0.5, sampler: 'exact' }, /seed/],
  ] as [Partial<PresenceMaskOptions>, RegExp][])('refuses %o', (wrong, message) => {
    expect(() => presenceMask({ samples: 4, modalities: 3, rate: 0.2, seed: 0, ...wrong })).toThrow(message);
  });
});
