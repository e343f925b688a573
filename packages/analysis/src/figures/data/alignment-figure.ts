import { paddedDomain, barDomain } from './domain.js';
import type { BarsPanel, FigureClaim, FigureData, FigureValue, LinesPanel } from './figure-data.js';
import { barOf, labelOf, meanOf, missingRun, seedWords, toneOf } from './select.js';

/** How far a student's features agree with its teachers', at one epoch. */
export interface AlignmentRun {
  readonly method: string;
  readonly seed: number;
  /** Absent for the epoch that the run selected. */
  readonly epoch?: number;
  /** By modality; `baseline` is that of samples that do not belong together. */
  readonly alignment: Readonly<Record<string, { readonly value: number; readonly baseline: number }>>;
}

/** What Figure 5 is made from. */
export interface AlignmentRuns {
  readonly dataset: string;
  readonly modalities: readonly string[];
  readonly runs: readonly AlignmentRun[];
}

/**
 * Figure 5: the mean cosine similarity of each modality's features with its teacher's on the test split, by method, beside what samples that
 * do not belong together come to; and over the epochs where checkpoints of them were kept.
 *
 * @param data `joint`, `g2d` and whatever other methods there are, of the same seeds.
 * @throws {OptionError} If `joint` or `g2d` is missing.
 * @see G2D, Fig. 5
 */
export function alignmentFigure(data: AlignmentRuns): FigureData {
  const { dataset, modalities, runs } = data;
  const selected = runs.filter(({ epoch }) => epoch === undefined);
  for (const method of ['joint', 'g2d'])
    if (!selected.some((run) => run.method === method)) throw missingRun(data, method);
  const methods = [...new Set(selected.map(({ method }) => method))];
  const seeds = [...new Set(selected.map(({ seed }) => seed))].sort((a, b) => a - b);
  const bars = barsOf(selected, methods, modalities);
  const panel: BarsPanel = {
    kind: 'bars',
    title: dataset,
    note: `selected epoch, ${seedWords(seeds)}`,
    y: {
      label: 'cosine similarity with the teacher',
      domain: barDomain(bars.flatMap((group) => group.bars)),
    },
    groups: bars,
    baselines: 'with the teacher’s of other samples',
  };
  const curves = runs.some(({ epoch }) => epoch !== undefined)
    ? modalities.map((modality) => curvesOf(data, modality, methods))
    : [];
  return {
    number: 5,
    title: `Features of students and of their teachers, ${dataset}`,
    columns: 1 + curves.length,
    panels: [panel, ...curves],
    values: runs.flatMap((run) => valuesOf(dataset, run)),
    claims: claimsOf(data, selected, methods),
    notes: [
      'Cosine similarity of a student’s features of a test sample with its teacher’s, in inference mode, mean over samples. The short lines are the same for samples that do not belong together: features that are never negative are similar whoever they are of.',
      'G2D’s loss asks for this in part (its second term); joint training and SMP do not.',
    ],
  };
}

function barsOf(
  runs: readonly AlignmentRun[],
  methods: readonly string[],
  modalities: readonly string[],
): BarsPanel['groups'] {
  return modalities.map((modality) => ({
    name: modality,
    bars: methods.map((method) => {
      const own = runs
        .filter((run) => run.method === method)
        .flatMap(({ alignment }) => alignment[modality] ?? []);
      const baseline = meanOf(own.map((found) => found.baseline));
      return {
        name: labelOf(method),
        tone: toneOf(method),
        ...barOf(own.map(({ value }) => value)),
        ...(baseline !== undefined && { baseline }),
      };
    }),
  }));
}

function curvesOf({ runs }: AlignmentRuns, modality: string, methods: readonly string[]): LinesPanel {
  const kept = runs.filter(({ epoch }) => epoch !== undefined);
  const series = methods.map((method) => {
    const own = kept.filter((run) => run.method === method);
    const epochs = [...new Set(own.map(({ epoch }) => epoch as number))].sort((a, b) => a - b);
    return {
      name: labelOf(method),
      tone: toneOf(method),
      points: epochs.map((epoch) => {
        const values = own
          .filter((run) => run.epoch === epoch)
          .map(({ alignment }) => alignment[modality]?.value);
        return [epoch, meanOf(values) ?? NaN] as const;
      }),
    };
  });
  const epochs = kept.map(({ epoch }) => epoch as number);
  return {
    kind: 'lines',
    title: modality,
    note: 'checkpoints that were kept',
    x: { label: 'epoch', domain: [0, Math.max(1, ...epochs)] },
    y: {
      label: 'cosine similarity',
      domain: paddedDomain(
        series.flatMap(({ points }) => points.map(([, y]) => y)),
        [-1, 1],
      ),
    },
    series,
  };
}

function valuesOf(dataset: string, { method, seed, epoch, alignment }: AlignmentRun): FigureValue[] {
  return Object.entries(alignment).flatMap(([head, { value, baseline }]) => {
    const shared = { dataset, method, head, seed, split: 'test', ...(epoch !== undefined && { epoch }) };
    return [
      { quantity: 'alignment', ...shared, value },
      { quantity: 'alignmentBaseline', ...shared, value: baseline },
      { quantity: 'alignmentAboveBaseline', ...shared, value: value - baseline },
    ];
  });
}

/** F5.1 of the first modality, F5.2 of the second, and so on; SMP, which no loss asks for it, is compared too. */
function claimsOf(
  { dataset, modalities }: AlignmentRuns,
  runs: readonly AlignmentRun[],
  methods: readonly string[],
): FigureClaim[] {
  const of = (method: string, seed: number, modality: string): number | undefined =>
    runs.find((run) => run.method === method && run.seed === seed)?.alignment[modality]?.value;
  const seedsOf = (method: string): number[] =>
    runs
      .filter(
        (run) =>
          run.method === method && runs.some((other) => other.method === 'joint' && other.seed === run.seed),
      )
      .map(({ seed }) => seed)
      .sort((a, b) => a - b);
  return modalities.flatMap((modality, i) =>
    methods
      .filter((method) => method !== 'joint')
      .map((method) => ({
        id: method === 'g2d' ? `F5.${i + 1}` : '',
        dataset,
        words: `alignment of ${modality}: ${labelOf(method)} − joint training`,
        kind: 'above' as const,
        limit: 0,
        values: seedsOf(method).map((seed) => ({
          seed,
          value: (of(method, seed, modality) ?? NaN) - (of('joint', seed, modality) ?? NaN),
        })),
      })),
  );
}
