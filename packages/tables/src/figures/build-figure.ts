import {
  accuracyFigure,
  alignmentFigure,
  confidenceFigure,
  gapFigure,
  ratioFigure,
  readRun,
  type FigureData,
  type FigureRuns,
  type Run,
} from '@g2d/analysis';
import { OptionError } from '@g2d/core';
import type { Space } from './features.js';
import { datasetsOf, withTeachers, type FigureRun, type OpenOptions } from './figure-run.js';
import { gatherAlignments } from './gather-alignments.js';
import { gatherConfidences } from './gather-confidences.js';
import { gatherGaps } from './gather-gaps.js';

/** The figures that show results; Figure 2 is a drawing. */
export const FIGURES = [1, 3, 4, 5, 6] as const;

/** One of them. */
export type FigureNumber = (typeof FIGURES)[number];

/**
 * Makes a figure of the paper from run folders. Figures 4, 5 and 6 evaluate them; 1 and 3 read what they recorded.
 *
 * @param options `space`: of Figure 4 alone.
 * @throws {OptionError} If a run is missing, or does not fit the figure.
 * @throws {FileFormatError} If a folder cannot be read.
 */
export async function buildFigure(
  number: FigureNumber,
  runs: readonly FigureRun[],
  { space, ...options }: OpenOptions & { readonly space?: Space | undefined },
): Promise<FigureData> {
  switch (number) {
    case 1:
      return accuracyFigure(onlyOne(recorded(runs)));
    case 3:
      return confidenceFigure(recorded(runs.filter(({ method }) => method === 'g2d')));
    case 4:
      return gapFigure(await gatherGaps(runs, space, options));
    case 5:
      return alignmentFigure(await gatherAlignments(withTeachers(runs), options));
    case 6:
      return ratioFigure(await gatherConfidences(withTeachers(runs), options));
  }
}

/** What runs recorded, by dataset: students and their teachers, each once. */
function recorded(runs: readonly FigureRun[]): FigureRuns<Run>[] {
  return datasetsOf(runs).map((dataset) => {
    const own = runs.filter((run) => run.dataset === dataset);
    const teachers = new Set(own.flatMap((run) => Object.values(run.teachers)));
    const folders = [...own.map(({ folder }) => folder), ...teachers];
    return { dataset, runs: folders.map((folder) => readRun(folder)) };
  });
}

function onlyOne(datasets: readonly FigureRuns<Run>[]): FigureRuns<Run> {
  const [first, ...others] = datasets;
  if (first && others.length === 0) return first;
  const names = datasets.map(({ dataset }) => dataset).join(', ') || 'none';
  throw new OptionError(`Figure 1 is of one dataset, and the runs are of: ${names}.`, {
    option: 'runs',
    value: names,
    accepted: 'runs of one dataset',
  });
}
