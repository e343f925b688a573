import { methods } from '@g2d/methods';
import type { AnyMethod } from '@g2d/core';
import type { PlannedRun } from '@g2d/runs';
import { formatNumber } from '@g2d/core';
import type { RunResult } from '../results/run-result.js';

/** What training some runs takes. */
export interface Cost {
  /** Steps as of joint training: its own costs one, of a teacher its share of them. */
  readonly steps: number;
  /** Absent where nobody has measured a step of one of the datasets. */
  readonly hours?: number;
  /** What the hours are from, in words. */
  readonly source: string;
}

/** A run whose seconds are known. */
export interface TimedRun {
  readonly run: PlannedRun;
  readonly result: RunResult;
  /** Whether its folder is here; else it was trained elsewhere, and a file has its result. */
  readonly isOwn: boolean;
}

/** Steps of an epoch with all training samples, in batches of 16: of data that are not here. */
const STEPS: Readonly<Record<string, number>> = {
  'crema-d': 419,
  'av-mnist': 3750,
  'vgg-sound': 11_480,
  'ur-funny': 476,
  iemocap: 269,
  'mis-me': 169,
};

/** Seconds of a joint step on two cores (docs/performance.md), of data that nobody here has trained on. */
const SECONDS: Readonly<Record<string, number>> = { 'crema-d': 1.34, 'av-mnist-small': 0.033 };

/**
 * How many joint steps some runs are, and how long they take on a machine such as the one that trained the results.
 *
 * @param datasets Of each run, by its id.
 * @param sizes Training samples by dataset, as far as the data are there.
 * @param results Of runs that are finished: their seconds say how long a step takes, those of runs elsewhere where there is none here.
 */
export function costOf(
  runs: readonly PlannedRun[],
  {
    datasets,
    sizes,
    results,
  }: {
    readonly datasets: ReadonlyMap<string, string>;
    readonly sizes: ReadonlyMap<string, number>;
    readonly results: readonly TimedRun[];
  },
): Cost {
  const datasetOf = ({ id }: PlannedRun): string => datasets.get(id) ?? '';
  const secondsOf = secondsPerStep(results, datasetOf, sizes);
  let [steps, seconds]: [number, number | undefined] = [0, 0];
  for (const run of runs) {
    const own = jointSteps(run, datasetOf(run), sizes);
    const each = secondsOf(datasetOf(run))?.seconds;
    steps += own;
    seconds = seconds === undefined || each === undefined ? undefined : seconds + own * each;
  }
  const unknown = [...new Set(runs.map(datasetOf))].filter((dataset) => secondsOf(dataset) === undefined);
  const sources = new Set(runs.map((run) => secondsOf(datasetOf(run))?.source));
  return {
    steps: Math.round(steps),
    ...(seconds !== undefined && { hours: seconds / 3600 }),
    source:
      unknown.length > 0
        ? `how long a step of ${unknown.join(', ')} takes is not known here; one finished run says it, or g2d bench step`
        : ([OWN, ELSEWHERE].find((source) => sources.has(source)) ?? TWO_CORES),
  };
}

const OWN = 'by the runs that are finished, one at a time';
const ELSEWHERE = 'by runs of other machines, one at a time';
const TWO_CORES = 'by steps on two cores, one run at a time';

/** Seconds of a joint step by dataset, the median of its runs, and where they are from. */
function secondsPerStep(
  results: readonly TimedRun[],
  datasetOf: (run: PlannedRun) => string,
  sizes: ReadonlyMap<string, number>,
): (dataset: string) => { readonly seconds: number; readonly source: string } | undefined {
  const measured = new Map<string, number[]>();
  for (const { run, result, isOwn } of results) {
    const steps = jointSteps(run, datasetOf(run), sizes);
    if (result.seconds === undefined || steps === 0) continue;
    const place = `${isOwn ? OWN : ELSEWHERE} ${datasetOf(run)}`;
    measured.set(place, [...(measured.get(place) ?? []), result.seconds / steps]);
  }
  return (dataset) => {
    for (const source of [OWN, ELSEWHERE]) {
      const own = measured.get(`${source} ${dataset}`)?.toSorted((a, b) => a - b);
      if (own) return { seconds: own[Math.floor(own.length / 2)] as number, source };
    }
    const seconds = SECONDS[dataset];
    return seconds === undefined ? undefined : { seconds, source: TWO_CORES };
  };
}

function jointSteps(
  { config, needs }: PlannedRun,
  dataset: string,
  sizes: ReadonlyMap<string, number>,
): number {
  const { batchSize, epochs, modalities, encoders } = config;
  const size = sizes.get(dataset);
  const known = (STEPS[dataset] ?? 0) * (16 / batchSize);
  const perEpoch = size === undefined ? known : Math.ceil(size / batchSize);
  const all = Object.keys(encoders).length;
  const own = (modalities ?? Object.keys(encoders)).length;
  // A teacher is one encoder of them.
  return (
    epochs *
    perEpoch *
    (own === 1 ? 1 / Math.max(2, Math.min(all, 3)) : stepOf(config.method, needs.length > 0))
  );
}

const KNOWN = new Map(methods.map((method) => [method.name, method.recipe.cost]));

/** A step next to one of joint training: a backward pass costs two forward ones; teachers that run in every step three tenths. */
export function stepOf(method: string, hasTeachers: boolean): number {
  const mean = (passes: AnyPasses): number =>
    typeof passes === 'number' ? passes : (passes[0] + passes[1]) / 2;
  const more = method.split('+').map((name) => {
    const cost = KNOWN.get(name);
    return cost ? (mean(cost.forward) + 2 * mean(cost.backward)) / 3 - 1 : 0;
  });
  return 1 + more.reduce((sum, own) => sum + own, 0) + (hasTeachers ? 0.3 : 0);
}

type AnyPasses = NonNullable<AnyMethod['recipe']>['cost']['forward'];

/** `1,234 joint steps, about 2.5 hours (by …)`. */
export function costWords({ steps, hours, source }: Cost): string {
  const time =
    hours === undefined
      ? ''
      : `, about ${hours < 0.1 ? `${formatNumber(60 * hours)} minutes` : `${formatNumber(hours)} hours`}`;
  return `${steps.toLocaleString('en-US')} joint steps${time} (${source})`;
}
