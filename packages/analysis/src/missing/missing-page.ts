import { checkKeys } from '@g2d/core';
import { cellsTable } from '../report/cells-table.js';
import { pointsList, point } from '../report/findings.js';
import { scoreAxis } from '../report/axes.js';
import { headsOf as coloredHeads } from '../report/heads.js';
import { lineChart } from '../report/line-chart.js';
import { markup, type Markup } from '../report/markup.js';
import { renderPage } from '../report/page.js';
import { section } from '../report/sections.js';
import { commandBlock } from '../report/settings.js';
import { withPercent, withPoints } from '../format.js';
import { measureWords, missedMost, patternCells, rateCells } from './format-missing.js';
import { answerOf, headUnderMasks, lossesWithout, SCORES, type MissingResults } from './missing-results.js';

/** Settings of `renderMissing`. */
export interface MissingPageOptions {
  readonly title: string;
  readonly results: MissingResults;
  /** The command line that makes this page again. */
  readonly command?: string;
}

/**
 * One self-contained HTML page: how much a model loses where modalities are missing, by rate and by which of them are there.
 *
 * @returns The text of the file. No script, no request, every text escaped.
 */
export function renderMissing(options: MissingPageOptions): string {
  const { title, results, command } = checkKeys(
    options,
    { title: true, results: true, command: true },
    'renderMissing',
  );
  const { run, split, modalities } = results;
  const [header, ...lines] = rateCells(results);
  const [patternHeader, ...patterns] = patternCells(results);
  return renderPage({
    title,
    lead: markup`The model of <b>${run}</b> on its ${split} split, with modalities taken away: by rate, and each set of modalities alone.`,
    headline: headlineOf(results),
    overview: [chart(results), pointsList(point('Which modality is missed most?', missedMost(results)))],
    sections: [
      section(
        'results',
        lines.length > 0 &&
          cellsTable(
            'results',
            header as readonly string[],
            lines.map((cells) => ({ cells })),
          ),
        { title: 'By rate', hint: measureWords(results) },
      ),
      {
        id: 'patterns',
        title: 'By what is there',
        hint: `Every sample of the split has these of ${modalities.join(', ')}, and no other.`,
        content: cellsTable(
          'results',
          patternHeader as readonly string[],
          patterns.map((cells) => ({ cells })),
        ),
      },
      section('settings', command !== undefined && commandBlock(command), {
        hint: 'How to make this page again.',
      }),
    ],
    source: 'run folder',
  });
}

function headlineOf(results: MissingResults): string {
  const head = answerOf(results);
  const [first, last] = [results.rates[0], results.rates.at(-1)];
  const before = first && headUnderMasks(first, head);
  const after = last && headUnderMasks(last, head);
  if (!before || !after || first === last) {
    const [most] = lossesWithout(results);
    return most ? `Without ${most.modality} ${withPoints(most.loss)} are lost` : 'Nothing can be taken away';
  }
  return `${withPercent(before.mean)} with ${withPercent(100 * first.share)} of the cells missing, ${withPercent(after.mean)} with ${withPercent(100 * last.share)}`;
}

function chart(results: MissingResults): Markup | undefined {
  const { task, modalities } = results;
  // Mask files have no order among them.
  const rates = results.rates.filter(({ label }) => Number.isFinite(Number(label)));
  if (rates.length < 2) return undefined;
  const heads = modalities.length > 1 ? coloredHeads(modalities) : coloredHeads(modalities).slice(1);
  const found = heads.map(({ key, color }) => ({
    key,
    color,
    points: rates.flatMap((rate) => {
      const head = headUnderMasks(rate, key);
      return head ? [{ x: 100 * rate.share, ...head }] : [];
    }),
  }));
  const means = found.flatMap(({ points }) => points.map(({ mean }) => mean));
  return markup`<div class="panels"><figure><figcaption><b>The ${SCORES[task]} by what is missing</b> mean over masks, with 95 % intervals</figcaption>${lineChart(
    {
      description: `The ${SCORES[task]} in percent against the share of missing cells in percent, for each head.`,
      x: { domain: [0, Math.max(10, ...rates.map(({ share }) => 100 * share))], label: 'missing cells, %' },
      y: scoreAxis(task === 'regression', means),
      series: found.map(({ key, color, points }) => ({
        name: key,
        color,
        stroke: key === answerOf(results) ? ('main' as const) : ('solid' as const),
        label: true,
        markers: true,
        points: points.map(({ x, mean }) => [x, mean] as const),
      })),
      areas: found.map(({ key, color, points }) => ({
        name: key,
        color,
        points: points.map(
          ({ x, mean, interval }) => [x, interval?.lower ?? mean, interval?.upper ?? mean] as const,
        ),
      })),
    },
  )}</figure></div>`;
}
