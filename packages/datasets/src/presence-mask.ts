import { OptionError, shown, checkKeys } from '@g2d/core';
import { randomStream } from '@g2d/tensor-ops';
import { numpyIntegers } from './pipeline/numpy-integers.js';

/** `'exact'`: exactly the asked rate. `'official'`: the steps of the released code, redrawn until near the rate. */
export type MaskSampler = 'exact' | 'official';

/** Settings of `presenceMask`. */
export interface PresenceMaskOptions {
  /** N. */
  readonly samples: number;
  /** k, at least 1. */
  readonly modalities: number;
  /** Share of cells that are missing, in [0, 1]. At most (k − 1) / k can be; above it is the same as there. */
  readonly rate: number;
  /** The generator's own seed; with `'official'` that of `numpy.random.seed`. */
  readonly seed: number;
  /** Default `'exact'`. */
  readonly sampler?: MaskSampler;
  /** `'official'` gives up after so many masks. Default 1000. */
  readonly maxTries?: number;
}

/** How far the share of present cells may be from what was asked, in the released code. */
const TOLERANCE = 0.005;

/**
 * Which modality each sample has: at least one, and in all a share p = 1 − rate of the cells.
 *
 * `'exact'`: every sample keeps one modality, chosen uniformly; then exactly max(0, round(k N p) − N) of the other cells are
 * present too, chosen without replacement. With one seed, what is missing at a rate is missing at every higher one, too.
 *
 * `'official'`: the generator of CPM-Net that MLA uses, with the numbers of `numpy.random.seed(seed)`. For 1/k < p < 1: each
 * sample keeps one modality; n₁ = k N p − N; a first draw with ⌊100 n₁ / (k N)⌋ % counts the overlap a with the kept ones;
 * n₂ = n₁ / (1 − a / n₁); a second draw with ⌊100 n₂ / (k N)⌋ % adds its cells. All is drawn again until the share is within 0.005
 * of p. The rounding down makes that rare for large N, and impossible for some small N.
 *
 * @returns 1 present, 0 missing, `[N, k]` row by row; columns in the order of a dataset's `modalities`. (The released code has
 * audio, visual, text.)
 * @throws {OptionError} If an option is out of range, or `'official'` finds no mask.
 * @example
 * presenceMask({ samples: 10, modalities: 3, rate: 0.5, seed: 0 }); // 15 ones, at least one in each row
 * @see G2D, App. A.7.1; Zhang et al., "CPM-Nets", NeurIPS 2019; Zhang et al., "MLA", CVPR 2024
 */
export function presenceMask(options: PresenceMaskOptions): Uint8Array {
  checkKeys(
    options,
    { samples: true, modalities: true, rate: true, seed: true, sampler: true, maxTries: true },
    'presenceMask',
  );
  const { samples, modalities, rate, seed, sampler = 'exact', maxTries = 1000 } = options;
  check(options);
  if (sampler === 'official') return official({ samples, modalities, rate, seed, maxTries });

  const random = randomStream(seed);
  const mask = new Uint8Array(samples * modalities);
  for (let i = 0; i < samples; i++) mask[i * modalities + random.integer(modalities)] = 1;
  const others = Uint32Array.from(mask.keys()).filter((cell) => mask[cell] === 0);
  const more = Math.max(0, Math.round(modalities * samples * (1 - rate)) - samples);
  for (const at of random.permutation(others.length).subarray(0, more)) mask[others[at] as number] = 1;
  return mask;
}

function official({
  samples,
  modalities,
  rate,
  seed,
  maxTries,
}: Required<Omit<PresenceMaskOptions, 'sampler'>>): Uint8Array {
  const cells = samples * modalities;
  const keep = 1 - rate;
  if (keep === 1) return new Uint8Array(cells).fill(1);
  const integer = numpyIntegers(seed);
  const keptOnes = (): Uint8Array => {
    const mask = new Uint8Array(cells);
    for (let i = 0; i < samples; i++) mask[i * modalities + integer(modalities)] = 1;
    return mask;
  };
  if (keep <= 1 / modalities) return keptOnes();

  const fail = (problem: string): OptionError =>
    new OptionError(
      `The released sampler finds no mask for ${samples} samples, ${modalities} modalities and a rate of ${rate}: ${problem} ` +
        "`sampler: 'exact'` always does.",
      { option: 'sampler', value: 'official', accepted: "'exact'" },
    );
  if (Math.abs(keep - Math.round(cells * keep) / cells) >= TOLERANCE) {
    throw fail(`no number of ${cells} cells is within ${TOLERANCE} of it.`);
  }
  const extra = cells * keep - samples;
  for (let attempt = 0; attempt < maxTries; attempt++) {
    const mask = keptOnes();
    let overlap = 0;
    const firstPercent = Math.trunc((extra / cells) * 100);
    for (let cell = 0; cell < cells; cell++) {
      if (integer(100) < firstPercent) overlap += mask[cell] as number;
    }
    // With an overlap of all that was to be added this is infinite, and every cell is switched on.
    const percent = Math.trunc((extra / (1 - overlap / extra) / cells) * 100);
    let present = 0;
    for (let cell = 0; cell < cells; cell++) {
      if (integer(100) < percent) mask[cell] = 1;
      present += mask[cell] as number;
    }
    if (Math.abs(keep - present / cells) < TOLERANCE) return mask;
  }
  throw fail(`none of ${maxTries} masks was within ${TOLERANCE} of it (\`maxTries\`).`);
}

function check(options: PresenceMaskOptions): void {
  const { samples, modalities, rate, seed, sampler = 'exact', maxTries = 1000 } = options;
  const fail = (option: string, value: unknown, accepted: string): OptionError =>
    new OptionError(`\`${option}\` is ${shown(value)}; it must be ${accepted}.`, {
      option,
      value,
      accepted,
    });
  const whole = (value: number, least: number): boolean => Number.isSafeInteger(value) && value >= least;
  if (!whole(samples, 0)) throw fail('samples', samples, 'a whole number, 0 or more');
  if (!whole(modalities, 1)) throw fail('modalities', modalities, 'a whole number of at least 1');
  if (!(rate >= 0 && rate <= 1)) throw fail('rate', rate, 'a share of the cells, 0 to 1');
  if (!['exact', 'official'].includes(sampler)) throw fail('sampler', sampler, "'exact' or 'official'");
  if (!(sampler === 'exact' ? Number.isSafeInteger(seed) : whole(seed, 0) && seed < 2 ** 32)) {
    throw fail(
      'seed',
      seed,
      sampler === 'exact' ? 'an integer' : 'an integer from 0 to 2^32 − 1, as numpy takes it',
    );
  }
  if (!whole(maxTries, 1)) throw fail('maxTries', maxTries, 'a whole number of at least 1');
}
