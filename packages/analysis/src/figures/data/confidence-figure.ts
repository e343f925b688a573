import { formatNumber } from '@g2d/core';
import type { EpochMetrics, PerModality, Run } from '../../run.js';
import { byEpoch } from './by-epoch.js';
import { paddedDomain } from './domain.js';
import type { FigureClaim, FigureData, FigureRuns, FigureValue, LinesPanel } from './figure-data.js';
import { MODALITY_TONES, meanOf, missingRun, modalitiesOf, seedsOf, seedWords } from './select.js';

/** What an epoch says about the teachers' confidence, as it is called in the table of the figure. */
const SERIES = ['confidence', 'confidenceLow', 'confidenceHigh', 'leastConfident'] as const;

/**
 * Figure 3: how confident the teacher of each modality is on the training batches, over the student's epochs: the mean of Eq. 5, in which
 * range it lies for 80 % of the batches, and in which share of the batches each modality is the least confident. One panel for each dataset.
 *
 * Teachers do not learn any more: what changes from epoch to epoch is the augmentation and the order of the samples.
 *
 * @param datasets Students with SMP, from `readRun`; others are left out. Ranges and shares are there if the runs recorded them.
 * @throws {OptionError} If a dataset has no student that recorded confidences.
 * @see G2D, Fig. 3
 */
export function confidenceFigure(datasets: readonly FigureRuns<Run>[]): FigureData {
  const found = datasets.map(({ dataset, runs }) => {
    const watched = runs.filter(({ metrics }) => metrics.some(({ confidence }) => confidence));
    if (watched.length === 0) throw missingRun({ dataset }, 'a method with SMP');
    const modalities = modalitiesOf({ dataset, runs: watched });
    return { dataset, runs: watched, modalities, seeds: seedsOf(watched) };
  });
  return {
    number: 3,
    title: 'Confidence of the teachers on the training batches',
    columns: Math.min(found.length, found.length === 4 ? 2 : 3),
    panels: found.map(panelOf),
    values: found.flatMap(valuesOf),
    claims: found.map(claimOf),
    notes: [
      'Lines are means over the batches of an epoch, bands hold 80 % of the batches (10 % to 90 %), both averaged over seeds.',
      ...found
        .filter(({ runs }) => !runs.some(hasRange))
        .map(({ dataset }) => `${dataset}: the runs recorded no ranges.`),
    ],
  };
}

interface Found extends FigureRuns<Run> {
  readonly modalities: readonly string[];
  readonly seeds: readonly number[];
}

const hasRange = ({ metrics }: Run): boolean => metrics.some(({ confidenceLow }) => confidenceLow);

function panelOf({ dataset, runs, modalities, seeds }: Found): LinesPanel {
  const share = (modality: string): number | undefined =>
    meanOf(runs.flatMap(({ metrics }) => metrics.map(({ leastConfident }) => leastConfident?.[modality])));
  const series = modalities.map((modality, i) => {
    const of = (read: (epoch: EpochMetrics) => PerModality | undefined) =>
      new Map(
        byEpoch(runs, (epoch) => read(epoch)?.[modality]).map(([epoch, list]) => [
          epoch,
          meanOf(list) as number,
        ]),
      );
    const [low, high] = [of((epoch) => epoch.confidenceLow), of((epoch) => epoch.confidenceHigh)];
    const percent = share(modality);
    return {
      name:
        percent === undefined
          ? modality
          : `${modality} (least confident in ${formatNumber(100 * percent, 0)} % of batches)`,
      tone: MODALITY_TONES[i % MODALITY_TONES.length] ?? 'black',
      // Of two teachers that are alike both lines are seen.
      dashed: i > 0,
      points: [...of((epoch) => epoch.confidence)],
      band: [...low].flatMap(([epoch, value]) => {
        const top = high.get(epoch);
        return top === undefined ? [] : [[epoch, value, top] as const];
      }),
    };
  });
  const epochs = Math.max(1, ...runs.map(({ config }) => config.epochs));
  const shown = series.flatMap(({ points, band }) => [
    ...points.map(([, y]) => y),
    ...band.flatMap(([, low, high]) => [low, high]),
  ]);
  return {
    kind: 'lines',
    title: dataset,
    note: seedWords(seeds),
    x: { label: 'epoch', domain: [0, epochs] },
    y: { label: 'mean probability of the true class', domain: paddedDomain(shown, [0, 1]) },
    series,
  };
}

function valuesOf({ dataset, runs, modalities }: Found): FigureValue[] {
  return runs.flatMap(({ config, metrics }) =>
    metrics.flatMap((epoch) =>
      SERIES.flatMap((quantity) =>
        modalities.flatMap((head): FigureValue[] => {
          const value = epoch[quantity]?.[head];
          if (value === undefined) return [];
          const { method, seed } = config;
          return [{ quantity, dataset, method, head, seed, split: 'train', epoch: epoch.epoch, value }];
        }),
      ),
    ),
  );
}

/** In which share of the epochs the modality that is most confident over all is so. */
function claimOf({ dataset, runs, modalities }: Found): FigureClaim {
  const of = ({ metrics }: Run, modality: string): number =>
    meanOf(metrics.map(({ confidence }) => confidence?.[modality])) ?? -Infinity;
  const over = (modality: string): number => meanOf(runs.map((run) => of(run, modality))) ?? -Infinity;
  const [top = ''] = [...modalities].sort((a, b) => over(b) - over(a));
  return {
    id: 'F3.1',
    dataset,
    words: `share of epochs in which the teacher of ${top} is the most confident`,
    kind: 'always',
    limit: 1,
    values: runs.map(({ config, metrics }) => {
      const epochs = metrics.flatMap(({ confidence }) => (confidence ? [confidence] : []));
      const first = epochs.filter((rho) =>
        modalities.every((m) => m === top || (rho[top] ?? NaN) > (rho[m] ?? NaN)),
      );
      return { seed: config.seed, value: first.length / epochs.length };
    }),
  };
}
