import type { MaskedScores, MissingResults } from '@g2d/analysis';
import { OptionError, type MultimodalDataset, type Split } from '@g2d/core';
import { presenceMask, readMask, SAMPLERS, type MaskSampler } from '@g2d/datasets';
import { createProgress, type LoadedRun } from '@g2d/runs';
import { evaluateMasked, evaluateOptions, presenceOf, type MaskedEvaluation } from '@g2d/runs/internal';
import { deriveSeed } from '@g2d/tensor-ops';

/** What is taken away of a split. */
export interface MissingRequest {
  readonly split: Split;
  readonly rates: readonly number[];
  /** How many masks of each rate. */
  readonly seeds: number;
  readonly sampler: MaskSampler;
  /** Mask files, each beside the rates. */
  readonly files: readonly string[];
}

/** With more modalities only the whole set, single ones and all but one are tried. */
const ALL_SETS_UP_TO = 5;

/**
 * Reads what the command line says.
 *
 * @throws {OptionError} If a rate, a number or the protocol is none.
 */
export function parseMissing(
  rates: string,
  {
    seeds,
    sampler,
    files,
    split,
  }: {
    readonly seeds: number;
    readonly sampler: string;
    readonly files: readonly string[];
    readonly split: Split;
  },
): MissingRequest {
  const fail = (option: string, value: unknown, accepted: string): OptionError =>
    new OptionError(`--${option} is "${String(value)}"; it must be ${accepted}.`, {
      option,
      value,
      accepted,
    });
  const known = SAMPLERS.find((name) => name === sampler);
  if (!known) throw fail('sampler', sampler, `one of ${SAMPLERS.join(', ')}`);
  const accepted = 'rates from 0 to 1 with commas between them, such as 0,0.2,0.4';
  const parsed = rates
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map((text) => {
      const rate = Number(text);
      if (rate >= 0 && rate <= 1) return rate;
      throw fail('missing', text, accepted);
    });
  if (parsed.length === 0 && files.length === 0 && known !== 'patterns')
    throw fail('missing', rates, accepted);
  if (parsed.length > 0 && known === 'patterns')
    throw fail('missing', rates, '"" with the sampler "patterns", which has no rate');
  return { split, rates: parsed, seeds, sampler: known, files };
}

/**
 * Evaluates a run under several masks of each rate, under masks from files, and with each set of modalities alone.
 *
 * @throws {OptionError} If no mask can be drawn, or a file's is of other samples.
 */
export async function evaluateMissing(
  run: LoadedRun,
  path: string,
  request: MissingRequest,
): Promise<MissingResults> {
  const { split, rates, seeds, sampler, files } = request;
  const dataset = run.data[split] as MultimodalDataset<string>;
  const { modalities } = run.model;
  const samples = dataset.size;
  const presence = await presenceOf(dataset, modalities);
  const columns = { ...dataset, modalities };
  const given = files.map((file) => ({ file, mask: readMask(file, columns) }));
  const sets = setsOf(modalities);
  const drawn = sampler === 'patterns' ? [undefined] : rates;
  const masksOf = (rate: number | undefined): number => (rate === 0 ? 1 : seeds);
  const total = drawn.reduce<number>((sum, rate) => sum + masksOf(rate), given.length + sets.length);
  const progress = createProgress(total);
  const options = { ...evaluateOptions(run.config), presence, modalities };
  const evaluate = async (mask: Uint8Array): Promise<MaskedEvaluation | undefined> => {
    const found = await evaluateMasked(run.predict, dataset, { ...options, mask });
    progress.advance(1);
    return found;
  };
  const scoresOf = (label: string, found: readonly (MaskedEvaluation | undefined)[]): MaskedScores => {
    const masks = found.flatMap((each) => (each ? [each] : []));
    const share = masks.reduce((sum, mask) => sum + mask.share, 0) / Math.max(1, masks.length);
    return { label, share, masks };
  };
  try {
    const results: MaskedScores[] = [];
    for (const rate of drawn) {
      progress.stage(rate === undefined ? 'patterns' : `missing rate ${rate}`);
      const found: (MaskedEvaluation | undefined)[] = [];
      for (let seed = 0; seed < masksOf(rate); seed++) {
        const drawing = {
          samples,
          modalities: modalities.length,
          seed: deriveSeed(seed, `masks/${split}`),
          sampler,
        };
        found.push(await evaluate(presenceMask({ ...drawing, ...(rate !== undefined && { rate }) })));
      }
      results.push(scoresOf(rate === undefined ? 'patterns' : String(rate), found));
    }
    for (const { file, mask } of given) {
      progress.stage(file);
      results.push(scoresOf(file, [await evaluate(mask)]));
    }
    progress.stage('each set of modalities');
    const patterns: {
      present: readonly string[];
      samples: number;
      scores: Readonly<Record<string, number>>;
    }[] = [];
    for (const present of sets) {
      const row = modalities.map((modality) => Number(present.includes(modality)));
      const mask = Uint8Array.from({ length: samples * row.length }, (_, i) => row[i % row.length] as number);
      const found = await evaluate(mask);
      patterns.push({ present, samples: found?.samples ?? 0, scores: found?.scores ?? {} });
    }
    const { task } = run.facts;
    return { run: path, split, task, modalities, sampler, rates: results, patterns };
  } finally {
    progress.stop();
  }
}

/** Sets of modalities that can be there alone, the largest first. */
function setsOf(modalities: readonly string[]): readonly (readonly string[])[] {
  const k = modalities.length;
  const all = Array.from({ length: 2 ** Math.min(k, 20) - 1 }, (_, bits) =>
    modalities.filter((_, j) => ((bits + 1) >> j) & 1),
  );
  const some =
    k <= ALL_SETS_UP_TO
      ? all
      : [
          modalities,
          ...modalities.map((gone) => modalities.filter((m) => m !== gone)),
          ...modalities.map((m) => [m]),
        ];
  return [...some].sort((a, b) => b.length - a.length);
}
