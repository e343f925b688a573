import { checkKeys, OptionError, perModality, printable, shown, UnknownModalityError } from '@g2d/core';
import { deriveSeed, randomStream } from '@g2d/tensor-ops';
import type { MultimodalDataset, RandomStream, SampleOptions } from '@g2d/core';
import { descriptionOf } from './pipeline/description.js';
import { unitLength, type SampleShape } from './pipeline/shapes.js';
import { drawPattern, presenceMask, type MaskSampler } from './presence-mask.js';

/** How a mask is drawn, or one that is there already. */
export type MissingModalitiesOptions = {
  /**
   * What stands in the place of a missing modality: zeros (`'zero'`, the default), or what it really is (`'complete'`), for methods that learn to
   * impute it (`needs: { inputs: 'complete' }`). `present` is false in either case.
   */
  readonly inputs?: 'zero' | 'complete';
  /** Which modalities can be missing, each once; the others stay as they are, and no mask has a column for them. Default: all. */
  readonly modalities?: readonly string[];
} & (
  | {
      /**
       * Share of (sample, modality) cells that are missing, in [0, 1]; at most (k − 1) / k, for every sample keeps one. What it is for
       * other protocols `presenceMask` says.
       */
      readonly rate?: number;
      /** The run's seed. Default 0. Each split gets a mask of its own. */
      readonly seed?: number;
      /** Default `'exact'`; see `presenceMask`. With `'patterns'` training samples draw again in every epoch, as in MMIN. */
      readonly sampler?: MaskSampler;
      /** See `presenceMask`. */
      readonly maxTries?: number;
      readonly mask?: undefined;
    }
  | {
      /** As `presenceMask` gives it: `[N, k]`, columns in the dataset's order of those that can be missing. */
      readonly mask: Uint8Array;
      readonly rate?: undefined;
      readonly sampler?: undefined;
    }
);

/** A dataset with missing modalities, and what is missing. */
export interface MaskedDataset<M extends string> extends MultimodalDataset<M> {
  /** The modalities that can be missing, in the dataset's order. */
  readonly masked: readonly M[];
  /** 1 present, 0 missing, `[N, k]` row by row, of these; absent where it is drawn again in every epoch. */
  readonly mask?: Uint8Array;
}

/**
 * A dataset whose samples lack modalities at random: the mask is drawn once and stays for all epochs, for each split on
 * its own (stream `masks/<split>` of the seed). Train and test are masked alike in the paper.
 *
 * A missing modality is not read. Its input is zeros, of one step where the length is free, and `present` is false. Ids stay. With `inputs: 'complete'` it is read, and its input
 * is there.
 *
 * @param dataset It is closed with the wrapper.
 * @throws {OptionError} If an option is out of range, the `'official'` sampler finds no mask, a mask leaves a sample without any of the modalities that can be missing, or inputs are to
 * be complete that the dataset really lacks.
 * @throws {UnknownModalityError} If `modalities` has a name that the dataset has not.
 * @example
 * const train = missingModalities(await avMnist({ root, split: 'train' }), { rate: 0.2, seed: 0 });
 * @see G2D, App. A.7.1
 */
export function missingModalities<M extends string>(
  dataset: MultimodalDataset<M>,
  options: MissingModalitiesOptions,
): MaskedDataset<M> {
  checkKeys(
    options,
    { rate: true, seed: true, sampler: true, maxTries: true, mask: true, inputs: true, modalities: true },
    'missingModalities',
  );
  const { name, split, size, modalities, shapes, source } = dataset;
  const masked = chosenOf(dataset, options.modalities);
  const k = masked.length;
  const redraws = options.sampler === 'patterns' && split === 'train' && k > 1;
  if (options.inputs !== undefined && !['zero', 'complete'].includes(options.inputs)) {
    throw new OptionError(`\`inputs\` is ${shown(options.inputs)}; it can be zero or complete.`, {
      option: 'inputs',
      value: options.inputs,
      accepted: 'zero, complete',
    });
  }
  const mask = options.mask ?? drawMask(dataset, k, options);
  if (mask.length !== size * k || !mask.every((cell) => cell === 0 || cell === 1)) {
    throw new OptionError(
      `\`mask\` has ${mask.length} cells; ${name} (${split}) needs ${size} × ${k} (${masked.join(', ')}), each 0 or 1.`,
      { option: 'mask', value: mask.length, accepted: `${size * k} cells of 0 and 1` },
    );
  }
  const without = dataset.ids.findIndex((_, i) => !mask.subarray(i * k, (i + 1) * k).includes(1));
  if (without >= 0) {
    throw new OptionError(
      `\`mask\` leaves the sample ${printable(dataset.ids[without] as string)} of ${name} (${split}) without any of ${masked.join(', ')} (row ${without}). Every sample keeps one at least.`,
      { option: 'mask', value: without, accepted: 'a 1 in each row' },
    );
  }
  const complete = options.inputs === 'complete';
  if (complete) assertComplete(dataset);
  const rowOf = (index: number, random: SampleOptions<M>['random']): Uint8Array =>
    redraws && random
      ? drawPattern(k, patternStream(random(masked[0] as M)))
      : mask.subarray(index * k, (index + 1) * k);

  return {
    ...descriptionOf(dataset),
    ...(mask.includes(0) && { incomplete: unionOf(modalities, dataset.incomplete, masked) }),
    ...(redraws ? { augmented: unionOf(modalities, dataset.augmented, masked) } : { mask }),
    masked,
    ...(source && {
      source: { module: '@g2d/datasets', name: 'missingModalities', options: { inner: source, ...options } },
    }),
    async sample(index, { modalities: wanted = modalities, ...how } = {}) {
      const row = rowOf(index, how.random);
      const kept = (modality: M): boolean => row[masked.indexOf(modality)] !== 0;
      const sample = await dataset.sample(index, {
        modalities: complete ? wanted : wanted.filter(kept),
        ...how,
      });
      return {
        id: sample.id,
        label: sample.label,
        inputs: perModality(wanted, (modality) =>
          complete || kept(modality) ? sample.inputs[modality] : missingInput(shapes[modality]),
        ),
        present: perModality(
          modalities,
          (modality) => kept(modality) && sample.present?.[modality] !== false,
        ),
      };
    },
    ...(dataset.files && { files: dataset.files.bind(dataset) }),
    close: () => dataset.close(),
  };
}

/** The modalities that can be missing, in the dataset's order. */
function chosenOf<M extends string>(
  { name, modalities }: Pick<MultimodalDataset<M>, 'name' | 'modalities'>,
  chosen: readonly string[] = modalities,
): readonly M[] {
  for (const modality of chosen)
    if (!(modalities as readonly string[]).includes(modality))
      throw new UnknownModalityError({ modality, known: modalities, where: `The dataset ${name}` });
  if (chosen.length > 0) return modalities.filter((modality) => chosen.includes(modality));
  throw new OptionError('`modalities` is empty: nothing could be missing.', {
    option: 'modalities',
    value: chosen,
    accepted: modalities.join(', '),
  });
}

/** In the dataset's order. */
const unionOf = <M extends string>(
  all: readonly M[],
  before: readonly M[] = [],
  more: readonly M[],
): readonly M[] => all.filter((modality) => before.includes(modality) || more.includes(modality));

/** Another stream than the one that augments the modality. */
const patternStream = (random: RandomStream): RandomStream =>
  randomStream(deriveSeed(random.integer(2 ** 31), 'masks/pattern'));
/**
 * @throws {OptionError} If samples of a dataset can really lack a modality: nobody knows what would be there.
 */
function assertComplete({
  name,
  split,
  incomplete = [],
}: Pick<MultimodalDataset<string>, 'name' | 'split' | 'incomplete'>): void {
  if (incomplete.length === 0) return;
  throw new OptionError(
    `Complete inputs are asked for, as of a method that learns to impute them, but samples of ${name} (${split}) really lack ${incomplete.join(', ')}. Leave these samples or modalities out, or choose a method that does not need them.`,
    { option: 'inputs', value: 'complete', accepted: 'data in which nothing is missing' },
  );
}

/** Zeros: they carry no length either where it is free. */
const missingInput = (shape: SampleShape): Float32Array => new Float32Array(unitLength(shape));

function drawMask<M extends string>(
  { split, size }: MultimodalDataset<M>,
  modalities: number,
  { rate, seed = 0, sampler, maxTries }: Extract<MissingModalitiesOptions, { readonly mask?: undefined }>,
): Uint8Array {
  return presenceMask({
    samples: size,
    modalities,
    ...(rate !== undefined && { rate }),
    seed: deriveSeed(seed, `masks/${split}`),
    ...(sampler !== undefined && { sampler }),
    ...(maxTries !== undefined && { maxTries }),
  });
}
