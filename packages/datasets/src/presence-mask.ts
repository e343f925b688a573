import { OptionError, shown, checkKeys, type RandomStream } from '@g2d/core';
import { randomStream } from '@g2d/tensor-ops';
import { numpyIntegers } from './pipeline/numpy-integers.js';

/**
 * Which protocol draws a mask. `'exact'`: exactly the asked rate. `'official'`: the steps of the released code (CPM-Net's generator, which
 * MLA and GCNet use), redrawn until near the rate. `'samples'`: TATE's, where the rate is a share of samples. `'patterns'`: MMIN's, which
 * has no rate.
 */
export type MaskSampler = (typeof SAMPLERS)[number];

/** Every protocol. */
export const SAMPLERS = ['exact', 'official', 'samples', 'patterns'] as const;

/** Settings of `presenceMask`. */
export interface PresenceMaskOptions {
  /** N. */
  readonly samples: number;
  /** k, at least 1. */
  readonly modalities: number;
  /**
   * Share of cells that are missing, in [0, 1]. At most (k − 1) / k can be; above it is the same as there. With `'samples'` the share of
   * samples that lack one modality: rate / k of the cells. Left out with `'patterns'`.
   */
  readonly rate?: number;
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
 * `'samples'`: of each 100 samples in a row the first ⌊100 rate⌋ lack exactly one modality, drawn uniformly, as TATE's code for IEMOCAP does. Of a
 * single modality nothing can be missing.
 *
 * `'patterns'`: each sample has one of the 2^k − 2 sets of modalities that are neither empty nor whole, drawn uniformly: half of all cells are
 * missing on average. MMIN's six for k = 3.
 *
 * @returns 1 present, 0 missing, `[N, k]` row by row; columns in the order of a dataset's `modalities`. (The released code has
 * audio, visual, text.)
 * @throws {OptionError} If an option is out of range, or `'official'` finds no mask.
 * @example
 * presenceMask({ samples: 10, modalities: 3, rate: 0.5, seed: 0 }); // 15 ones, at least one in each row
 * @see G2D, App. A.7.1; Zhang et al., "CPM-Nets", NeurIPS 2019; Zhang et al., "MLA", CVPR 2024; Zhao et al., "MMIN", ACL 2021
 * (multimodal_miss_dataset.py); Zeng et al., "TATE", SIGIR 2022 (iemocap/Dataset.py)
 */
export function presenceMask(options: PresenceMaskOptions): Uint8Array {
  checkKeys(
    options,
    { samples: true, modalities: true, rate: true, seed: true, sampler: true, maxTries: true },
    'presenceMask',
  );
  const { samples, modalities, rate = 0, seed, sampler = 'exact', maxTries = 1000 } = options;
  check(options);
  if (sampler === 'official') return official({ samples, modalities, rate, seed, maxTries });

  const random = randomStream(seed);
  if (sampler === 'patterns') return patterns(samples, modalities, random);
  if (sampler === 'samples') return ofEachHundred(samples, modalities, { rate, random });
  const mask = new Uint8Array(samples * modalities);
  for (let i = 0; i < samples; i++) mask[i * modalities + random.integer(modalities)] = 1;
  const others = Uint32Array.from(mask.keys()).filter((cell) => mask[cell] === 0);
  const more = Math.max(0, Math.round(modalities * samples * (1 - rate)) - samples);
  for (const at of random.permutation(others.length).subarray(0, more)) mask[others[at] as number] = 1;
  return mask;
}

/** Share of the cells of a mask that are missing, in [0, 1]: what rates of all protocols can be compared by. */
export const missingShare = (mask: Uint8Array): number =>
  mask.reduce((missing, cell) => missing + Number(cell === 0), 0) / Math.max(1, mask.length);

function patterns(samples: number, modalities: number, random: RandomStream): Uint8Array {
  const mask = new Uint8Array(samples * modalities).fill(1);
  // Of one modality there is no set between none and all.
  if (modalities === 1) return mask;
  for (let i = 0; i < samples; i++) mask.set(drawPattern(modalities, random), i * modalities);
  return mask;
}

/** One of the sets of modalities that are neither empty nor whole, as a row of a mask. */
export function drawPattern(modalities: number, random: RandomStream): Uint8Array {
  const bits = 1 + random.integer(2 ** modalities - 2);
  return Uint8Array.from({ length: modalities }, (_, j) => (bits >> j) & 1);
}

function ofEachHundred(
  samples: number,
  modalities: number,
  { rate, random }: { readonly rate: number; readonly random: RandomStream },
): Uint8Array {
  const mask = new Uint8Array(samples * modalities).fill(1);
  if (modalities === 1) return mask;
  // As the released code: the rounding of 100 r is its own too.
  const lacking = Math.trunc(100 * rate);
  for (let i = 0; i < samples; i++)
    if (i % 100 < lacking) mask[i * modalities + random.integer(modalities)] = 0;
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
  // 2^k sets are counted in 32 bits.
  const most = sampler === 'patterns' ? 30 : Infinity;
  const fail = (option: string, value: unknown, accepted: string): OptionError =>
    new OptionError(`\`${option}\` is ${shown(value)}; it must be ${accepted}.`, {
      option,
      value,
      accepted,
    });
  const whole = (value: number, least: number): boolean => Number.isSafeInteger(value) && value >= least;
  if (!whole(samples, 0)) throw fail('samples', samples, 'a whole number, 0 or more');
  if (!whole(modalities, 1)) throw fail('modalities', modalities, 'a whole number of at least 1');
  if (modalities > most) throw fail('modalities', modalities, `at most ${most} with the sampler "patterns"`);
  if (!SAMPLERS.includes(sampler)) throw fail('sampler', sampler, `one of ${SAMPLERS.join(', ')}`);
  if (sampler === 'patterns') {
    if (rate !== undefined)
      throw fail('rate', rate, 'left out with the sampler "patterns", which has no rate');
  } else if (!(rate !== undefined && rate >= 0 && rate <= 1)) {
    throw fail(
      'rate',
      rate,
      sampler === 'samples' ? 'a share of the samples, 0 to 1' : 'a share of the cells, 0 to 1',
    );
  }
  if (!(sampler === 'official' ? whole(seed, 0) && seed < 2 ** 32 : Number.isSafeInteger(seed))) {
    throw fail(
      'seed',
      seed,
      sampler !== 'official' ? 'an integer' : 'an integer from 0 to 2^32 − 1, as numpy takes it',
    );
  }
  if (!whole(maxTries, 1)) throw fail('maxTries', maxTries, 'a whole number of at least 1');
}
