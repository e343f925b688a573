import { meanAndDeviation } from '@g2d/analysis';
import { formatNumber } from '@g2d/core';
import { datasetName } from '../layout/names.js';
import { DECIMALS } from '../layout/fill.js';
import type { TableParts } from '../table-parts.js';

/** What the methods are compared with beside the paper's columns: the mean of the teachers' answers, where the sweeps have it. */
export function referenceNotes({ plan, known }: Pick<TableParts, 'plan' | 'known'>): string[] {
  const scores = new Map<string, number[]>();
  for (const { id, combination } of plan.members) {
    const score = known.results.get(id)?.scores.test['fused']?.['accuracy'];
    if (combination.reference !== 'teacher-mean' || score === undefined) continue;
    const own = scores.get(combination.dataset) ?? [];
    scores.set(combination.dataset, [...own, score]);
  }
  if (scores.size === 0) return [];
  const words = [...scores].map(([dataset, values]) => {
    const { mean, deviation } = meanAndDeviation(values);
    const spread = deviation === undefined ? '' : ` ± ${formatNumber(deviation, DECIMALS)}`;
    return `${datasetName(dataset)} ${formatNumber(mean, DECIMALS)}${spread} (n=${values.length})`;
  });
  return [
    `For comparison, the mean of the teachers’ logits, with nothing trained jointly, fused: ${words.join('; ')}.`,
  ];
}
