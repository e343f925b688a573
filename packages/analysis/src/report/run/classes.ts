import { formatNumber } from '@g2d/core';
import { formatPercent } from '../../format.js';
import type { ClassScores } from '../../run.js';
import { cellsTable } from '../cells-table.js';
import { confusionMatrix } from '../confusion.js';
import { markup, type Markup } from '../markup.js';
import type { RunView } from './heads-of-run.js';

/** Two classes, and how often the first was taken for the second. */
interface Confused {
  readonly truth: number;
  readonly predicted: number;
  readonly count: number;
  /** Of the samples of the true class. */
  readonly share: number;
}

/** The pairs of classes that are mistaken most often, by the number of samples. */
export function mostConfused(counts: readonly (readonly number[])[], most: number): Confused[] {
  return counts
    .flatMap((row, truth) => {
      const total = row.reduce((sum, count) => sum + count, 0);
      return row.flatMap((count, predicted) =>
        count === 0 || predicted === truth ? [] : [{ truth, predicted, count, share: count / total }],
      );
    })
    .sort((a, b) => b.count - a.count || b.share - a.share)
    .slice(0, most);
}

/** Confusion matrices of all heads, and in words what is mistaken most. */
export function confusionOfRun({ run, heads, main }: RunView): Markup | undefined {
  const counts = run.summary?.confusion[main.key];
  if (!counts || counts.length === 0) return undefined;
  const names = run.predictions?.classNames ?? [];
  const name = (index: number): string => names[index] ?? String(index);
  const pairs = counts.length > 3 ? mostConfused(counts, 10) : [];
  return markup`<div class="heats">${heads.map((head) => confusionMatrix(run, head))}</div>
${
  pairs.length > 0 &&
  markup`<h3>Mistaken most often (${main.key})</h3><div class="scroll"><table class="results"><thead><tr><th scope="col">true</th><th scope="col">taken for</th><th scope="col" class="number">samples</th><th scope="col" class="number">of the class</th></tr></thead><tbody>${pairs.map(
    ({ truth, predicted, count, share }) =>
      markup`<tr><th scope="row">${name(truth)}</th><td>${name(predicted)}</td><td class="number">${count}</td><td class="number">${formatNumber(100 * share, 0)} %</td></tr>`,
  )}</tbody></table></div>`
}`;
}

/** Up to this many classes stand in the page's table; of more, those that are recognized worst. */
const MOST_CLASSES = 20;
const WORST = 15;

/** Precision, recall and F1 of each class, and each modality's own recall. */
export function perClassTable(view: RunView): Markup | undefined {
  const { run, main } = view;
  const scores = run.summary?.perClass?.[main.key];
  if (!scores || scores.length === 0) return undefined;
  const indexed = scores.map((score, index) => ({ index, score }));
  if (scores.length <= MOST_CLASSES) return scoresTable(view, indexed);
  const worst = indexed
    .filter(({ score }) => score.support > 0)
    .sort((a, b) => (a.score.f1 ?? 0) - (b.score.f1 ?? 0))
    .slice(0, WORST);
  return markup`<h3>The ${WORST} classes with the lowest F1</h3>${scoresTable(view, worst)}
<details class="words"><summary>All ${scores.length} classes</summary>${scoresTable(view, indexed)}</details>`;
}

function scoresTable(
  { run, heads, main }: RunView,
  rows: readonly { readonly index: number; readonly score: ClassScores }[],
): Markup {
  const names = run.predictions?.classNames ?? [];
  const others = heads.filter(({ key }) => key !== main.key && run.summary?.perClass?.[key]);
  const header = ['class', 'samples', 'precision, %', 'recall, %', 'F1, %'];
  const lines = rows.map(({ index, score: { support, precision, recall, f1 } }) => {
    const recalls = others.map(({ key }) => run.summary?.perClass?.[key]?.[index]?.recall);
    const shares = [precision, recall, f1, ...recalls].map(formatPercent);
    return { cells: [names[index] ?? String(index), String(support), ...shares] };
  });
  return cellsTable('results', [...header, ...others.map(({ key }) => `recall of ${key}, %`)], lines);
}
