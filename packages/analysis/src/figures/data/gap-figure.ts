import { formatNumber, OptionError } from '@g2d/core';
import { featureGap, relativeFeatureGap } from '../feature-gap.js';
import { unitRow, type FeatureRows } from '../feature-rows.js';
import { principalPlane } from '../principal-components.js';
import { paddedDomain } from './domain.js';
import type { FigureClaim, FigureData, FigureValue, PointsPanel } from './figure-data.js';
import { labelOf, meanOf, missingRun, MODALITY_TONES } from './select.js';

/** The features of two modalities in one run, of the same samples in the same order. */
export interface GapRun {
  readonly method: string;
  readonly seed: number;
  /** Of the epoch that the run selected, by modality: `[N, D]`. */
  readonly features: Readonly<Record<string, FeatureRows>>;
  /** Of the weights that the run began with; absent where nobody looked. */
  readonly initial?: Readonly<Record<string, FeatureRows>>;
}

/** What a dataset's two panels are made from. */
export interface GapRuns {
  readonly dataset: string;
  /** The two that are compared. */
  readonly modalities: readonly [string, string];
  /** Of the samples whose features these are. */
  readonly ids: readonly string[];
  /** Where the rows lie: the encoders' features f_m, or the heads' logits u_m. */
  readonly space: 'features' | 'logits';
  readonly runs: readonly GapRun[];
}

const METHODS = ['joint', 'g2d'] as const;

/**
 * Figure 4: the features of two modalities in one plane, after joint training and after G2D, with the distance of their centroids in the full
 * space. The plane is that of the first two principal components of both modalities of both runs together, so that a dataset's two panels
 * share their axes.
 *
 * @param datasets For each of them `joint` and `g2d` of the same seeds. The picture is of the first seed, the numbers of all.
 * @throws {OptionError} If a dataset lacks one of the two runs.
 * @see G2D, Fig. 4
 */
export function gapFigure(datasets: readonly GapRuns[]): FigureData {
  const found = datasets.map((data) => ({ data, seeds: pairedSeeds(data) }));
  const drawn = found.map(({ data, seeds }) => draw(data, seeds));
  return {
    number: 4,
    title: 'Test samples of two modalities in one plane',
    columns: 2,
    panels: drawn.flatMap(({ panels }) => panels),
    values: [
      ...found.flatMap(({ data, seeds }) => gapsOf(data, seeds)),
      ...drawn.flatMap(({ values }) => values),
    ],
    claims: found.map(({ data, seeds }) => claimOf(data, seeds)),
    notes: [
      'Rows are scaled to length 1; the plane is that of the two first principal components of both modalities of both runs together. Lines join the two modalities of a sample.',
      'The gap is the distance of the two centroids in the full space; relative: over the mean distance of the rows from their centroid.',
      ...drawn.map(({ note }) => note),
      ...datasets
        .filter(({ space }) => space === 'logits')
        .map(
          ({ dataset, modalities }) =>
            `${dataset}: logits of the heads of ${modalities.join(' and ')} in place of features.`,
        ),
    ],
  };
}

function pairedSeeds({ dataset, runs }: GapRuns): number[] {
  const of = (method: string): number[] =>
    runs.filter((run) => run.method === method).map(({ seed }) => seed);
  const [joint, g2d] = [of('joint'), of('g2d')];
  const both = joint.filter((seed) => g2d.includes(seed)).sort((a, b) => a - b);
  if (both.length > 0) return both;
  throw missingRun({ dataset }, joint.length === 0 ? 'joint' : 'g2d');
}

const runOf = ({ runs }: GapRuns, method: string, seed: number): GapRun =>
  runs.find((run) => run.method === method && run.seed === seed) as GapRun;

const rowsOf = (features: GapRun['features'], modality: string): FeatureRows => features[modality] ?? [];

function gapsOf(data: GapRuns, seeds: readonly number[]): FigureValue[] {
  const { dataset, modalities } = data;
  return seeds.flatMap((seed) =>
    METHODS.flatMap((method) => {
      const { features, initial } = runOf(data, method, seed);
      const shared = { dataset, method, head: '', seed, split: 'test' };
      const both = (of: GapRun['features']) =>
        modalities.map((m) => rowsOf(of, m)) as [FeatureRows, FeatureRows];
      const pair = (of: GapRun['features'], epoch?: number): FigureValue[] => [
        {
          quantity: 'featureGap',
          ...shared,
          ...(epoch !== undefined && { epoch }),
          value: featureGap(...both(of)),
        },
        {
          quantity: 'relativeFeatureGap',
          ...shared,
          ...(epoch !== undefined && { epoch }),
          value: relativeFeatureGap(...both(of)),
        },
      ];
      return [...pair(features), ...(initial ? pair(initial, 0) : [])];
    }),
  );
}

function draw(data: GapRuns, seeds: readonly number[]) {
  const { dataset, modalities, ids } = data;
  const [seed = 0] = seeds;
  const clouds = METHODS.flatMap((method) =>
    modalities.map((modality) => ({
      method,
      modality,
      rows: rowsOf(runOf(data, method, seed).features, modality).map(unitRow),
    })),
  );
  const odd = clouds.find(({ rows }) => rows.length !== ids.length);
  if (odd) {
    throw new OptionError(
      `${dataset}: ${odd.modality} of ${odd.method} has ${odd.rows.length} rows for ${ids.length} samples. Give features of samples that have both modalities.`,
      { option: 'features', value: odd.rows.length, accepted: `${ids.length} rows` },
    );
  }
  const { points, share } = principalPlane(clouds.flatMap(({ rows }) => rows));
  const placed = clouds.map((cloud, i) => ({
    ...cloud,
    points: points.slice(i * ids.length, (i + 1) * ids.length),
  }));
  const gaps = gapsOf(data, seeds);
  const x = paddedDomain(points.map(([value]) => value));
  const y = paddedDomain(points.map(([, value]) => value));
  const panels = METHODS.map((method): PointsPanel => ({
    kind: 'points',
    title: `${dataset}, ${labelOf(method)}`,
    note: `seed ${seed}, ${ids.length} test samples`,
    x: { label: 'first principal component', domain: x },
    y: { label: 'second principal component', domain: y },
    clouds: placed
      .filter((cloud) => cloud.method === method)
      .map(({ modality, points: own }, i) => ({
        name: modality,
        tone: MODALITY_TONES[i] ?? 'black',
        points: own,
      })),
    paired: true,
    caption: captionOf(
      gaps.filter((gap) => gap.method === method),
      seeds,
    ),
  }));
  const values = placed.flatMap(({ method, modality, points: own }) =>
    own.flatMap(([first, second], i): FigureValue[] => {
      const shared = { dataset, method, head: modality, seed, split: 'test', sample: ids[i] ?? '' };
      return [
        { quantity: 'component1', ...shared, value: first },
        { quantity: 'component2', ...shared, value: second },
      ];
    }),
  );
  const note = `${dataset}: the plane carries ${formatNumber(100 * share, 0)} % of the variance.`;
  return { panels, values, note };
}

/** Means over seeds: what it is now, what it was at the beginning. */
function captionOf(gaps: readonly FigureValue[], seeds: readonly number[]): string[] {
  const mean = (quantity: string, isInitial: boolean): number | undefined =>
    meanOf(
      gaps
        .filter((gap) => gap.quantity === quantity && (gap.epoch === 0) === isInitial)
        .map(({ value }) => value),
    );
  const line = (name: string, quantity: string): string => {
    const [now, initial] = [mean(quantity, false), mean(quantity, true)];
    const begun = initial === undefined ? '' : ` (${formatNumber(initial, 2)} at epoch 0)`;
    return `${name} ${now === undefined ? '–' : formatNumber(now, 2)}${begun}`;
  };
  return [
    line('gap', 'featureGap'),
    line('relative gap', 'relativeFeatureGap'),
    ...(seeds.length > 1 ? [`gaps: means of ${seeds.length} seeds`] : []),
  ];
}

function claimOf(data: GapRuns, seeds: readonly number[]): FigureClaim {
  const gap = (method: string, seed: number): number => {
    const { features } = runOf(data, method, seed);
    return featureGap(rowsOf(features, data.modalities[0]), rowsOf(features, data.modalities[1]));
  };
  return {
    id: 'F4.1',
    dataset: data.dataset,
    words: `gap of ${data.modalities.join(' and ')}: G2D − joint training`,
    kind: 'above',
    limit: 0,
    values: seeds.map((seed) => ({ seed, value: gap('g2d', seed) - gap('joint', seed) })),
  };
}
