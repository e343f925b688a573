import { formatNumber } from '@g2d/core';
import type { PerModality, StartedRun } from '../run.js';
import { isPrioritized, scopeOf } from '../run-settings.js';
import { epochDomain, panelTitle, phaseBands, pointsOf } from './curves.js';
import { headsOf } from './heads.js';
import { lineChart } from './line-chart.js';
import { markup, type Markup } from './markup.js';
import { nameWidth } from './overview.js';
import { scheduleStrips } from './schedule.js';
import type { Shown } from './shown.js';

/** Runs, and the confidences of the teachers over the whole training split where they are known. */
interface ShownWithConfidences extends Shown {
  readonly summary?: { readonly confidences: PerModality };
}

/** ρ by epoch and κ by epoch, with the four equations in plain words; nothing where no run recorded them. */
export function confidenceSection(group: ShownWithConfidences): Markup | undefined {
  const scheduled = group.runs.filter((run) => run.metrics.some((epoch) => epoch.coefficients));
  const prioritized = scheduled.filter(({ config }) => isPrioritized(config));
  const watched = group.runs.filter((run) => run.metrics.some((epoch) => epoch.confidence));
  const hasSummary = Object.keys(group.summary?.confidences ?? {}).length > 0;
  if (scheduled.length === 0 && watched.length === 0 && !hasSummary) return undefined;
  const chart = watched.find((run) => run.name === 'g2d') ?? watched.at(-1);
  const isExplained = prioritized.length > 0 || hasSummary;
  return markup`<div class="explained">
${isExplained && markup`<div>${equations(prioritized)}</div>`}
<div>${chart && confidenceChart(group, chart)}${hasSummary && confidenceList(group)}</div>
</div>
${
  scheduled.length > 0 &&
  markup`<h3>Who trains when (κ)</h3>
<p class="hint">${STRIPS_HINT}</p>
${scheduled.map((run) => strips(group, run))}`
}`;
}

/** How to read the strips of κ. */
export const STRIPS_HINT =
  'A filled stretch: this modality’s gradients pass. An empty one: they are set to zero. Between: the mean of κ over the batches of the epoch.';

function equations(runs: readonly StartedRun[]): Markup {
  const scopes = [...new Set(runs.flatMap(({ config }) => scopeOf(config) ?? []))];
  return markup`<ol class="equations">
<li value="5"><b>How sure is each teacher? (Eq. 5)</b> ρ is the probability a teacher gives the right answer, averaged over the batch. A modality that is quick to learn, or easy to memorize, has a ρ near 1: it would take over.</li>
<li value="6"><b>Who goes first? (Eq. 6)</b> The modalities are ranked by ρ. In every phase but the last, one modality is prioritized, the least confident first; in the last phase all of them train.</li>
<li value="7"><b>Who trains now? (Eq. 7)</b> κ is 1 for a prioritized modality and 0 for a suppressed one.</li>
<li value="8"><b>What does that do? (Eq. 8)</b> Before each step, the gradients of a modality are multiplied by its κ. With κ = 0 the loss cannot be lowered through the strong modality, so the weak one has to learn.${
    scopes.length > 0 &&
    markup` In these runs κ acts on the parameters of scope <code>${scopes.join(', ')}</code>.`
  }</li>
</ol>`;
}

function confidenceChart(group: ShownWithConfidences, run: StartedRun): Markup {
  const heads = headsOf(group.modalities).slice(1);
  return markup`<figure><figcaption><b>Confidence of the teachers (ρ)</b> on the training batches of ${panelTitle(run).title}</figcaption>${lineChart(
    {
      description: `Confidence of each teacher by epoch during ${panelTitle(run).title}`,
      x: { domain: epochDomain([run]), label: 'epoch' },
      y: { domain: [0, 1], format: (value) => String(Number(formatNumber(value, 3))) },
      series: heads.map((head) => ({
        name: head.key,
        points: pointsOf(run.metrics, (epoch) => epoch.confidence, head.key),
        color: head.color,
        stroke: 'solid',
        label: true,
      })),
      bands: phaseBands(run),
    },
  )}</figure>`;
}

function confidenceList(group: ShownWithConfidences): Markup {
  const colors = new Map(headsOf(group.modalities).map((head) => [head.key, head.color]));
  return markup`<p class="hint">Over the whole training split: ${Object.entries(
    group.summary?.confidences ?? {},
  ).map(
    ([modality, value], index) =>
      markup`${index > 0 && ', '}<span class="swatch ${colors.get(modality) ?? ''}"></span>${modality} ρ = ${formatNumber(value, 3)}`,
  )}.</p>`;
}

/** κ of each modality of one run. */
export function strips(group: Shown, run: StartedRun, title = panelTitle(run).title): Markup {
  const heads = headsOf(group.modalities).filter((head) => run.config.modalities.includes(head.key));
  const [, end] = epochDomain([run]);
  return markup`<div class="strips" style="${nameWidth(group.modalities)}"><h4>${title}</h4>${scheduleStrips(run.metrics, heads, end - 0.5)}</div>`;
}
