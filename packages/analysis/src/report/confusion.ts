import { withPercent } from '../format.js';
import type { StartedRun } from '../run.js';
import { panelTitle } from './curves.js';
import { headsOf, type Head } from './heads.js';
import { heatMap } from './heat-map.js';
import { markup, type Markup } from './markup.js';
import type { Shown } from './shown.js';

/** Confusion matrices on test: a row of small heat maps per student, fused first. */
export function confusionSection(group: Shown): Markup | undefined {
  const students = group.runs.filter(
    ({ config, summary }) => config.kind === 'student' && Object.keys(summary?.confusion ?? {}).length > 0,
  );
  if (students.length === 0) return undefined;
  const heads = headsOf(group.modalities);
  return markup`${students.map(
    (run) =>
      markup`<h3>${panelTitle(run).title}</h3><div class="heats">${heads.map((head) => confusionMatrix(run, head))}</div>`,
  )}`;
}

/** The confusion matrix of one head as a heat map, with the share on its diagonal. */
export function confusionMatrix(run: StartedRun, head: Head): Markup | undefined {
  const counts = run.summary?.confusion[head.key];
  if (!counts) return undefined;
  const total = counts.flat().reduce((sum, count) => sum + count, 0);
  const right = counts.reduce((sum, row, index) => sum + (row[index] ?? 0), 0);
  const accuracy = total === 0 ? undefined : (100 * right) / total;
  const { title } = panelTitle(run);
  return markup`<figure><figcaption><span class="swatch ${head.color}"></span><b>${head.key}</b> ${withPercent(accuracy)}</figcaption>${heatMap(
    {
      counts,
      classNames: run.predictions?.classNames ?? [],
      color: head.color,
      description: `Confusion matrix of ${title}, ${head.key}: ${right} of ${total} on the diagonal`,
    },
  )}</figure>`;
}
