import { isSameLabel, type Label } from '@g2d/core';
import { shortNumber } from '../format.js';
import type { StartedRun, Task } from '../run.js';
import { panelTitle } from './curves.js';
import { headsOf, type Head } from './heads.js';
import { markup, type Markup } from './markup.js';
import { pngUri, type GrayImage } from './png.js';
import { taskOf, type Shown } from './shown.js';
import { wavUri } from './wav.js';

/** A test sample to show: what the model sees and hears. */
export interface ReportSample {
  /** As in `predictions.json`. */
  readonly id: string;
  /** Name of the true class, or of all of them; for a regression the true number. */
  readonly label: string;
  readonly parts: readonly ReportPart[];
}

/** What one modality contributes to a sample: a picture, a sound, or both (a spectrogram and its recording). */
export interface ReportPart {
  readonly modality: string;
  readonly image?: GrayImage;
  /** One channel in [-1, 1]; `sampleRate` in Hz. */
  readonly sound?: { readonly samples: Float32Array; readonly sampleRate: number };
}

const TRUE_WORDS: Readonly<Record<Task, string>> = {
  classification: 'class',
  regression: 'value',
  'multi-label': 'classes',
};

/** Cards with what the model is given, the true label, and what each method makes of it. */
export function samplesSection(group: Shown, samples: readonly ReportSample[]): Markup {
  const heads = headsOf(group.modalities);
  return markup`<div class="cards">${samples.map((sample) => card(group, heads, sample))}</div>`;
}

function card(group: Shown, heads: readonly Head[], sample: ReportSample): Markup {
  const colors = new Map(heads.map((head) => [head.key, head.color]));
  return markup`<article class="card">
<h3>True ${TRUE_WORDS[group.runs[0] ? taskOf(group.runs[0]) : 'classification']}: ${sample.label}</h3>
<div class="parts">${sample.parts.map(
    ({ modality, image, sound }) =>
      markup`<figure class="${colors.get(modality) ?? ''}"><figcaption><span class="swatch"></span>${modality}</figcaption>${
        image &&
        markup`<img class="pixels" src="${pngUri(image)}" alt="${modality} of sample ${sample.id}" loading="lazy">`
      }${
        sound &&
        markup`<audio controls preload="metadata" src="${wavUri(sound.samples, sound.sampleRate)}" aria-label="${modality} of sample ${sample.id}"></audio>`
      }</figure>`,
  )}</div>
<table class="answers"><thead><tr><th scope="col">${sample.id}</th>${heads.map((head) => markup`<th scope="col">${head.key}</th>`)}</tr></thead>
<tbody>${teachersRow(group, heads, sample.id)}${group.runs
    .filter(({ config }) => config.kind === 'student')
    .map(
      (run) =>
        markup`<tr><th scope="row">${panelTitle(run).title}</th>${heads.map((head) => answer(run, head, sample.id))}</tr>`,
    )}</tbody></table>
</article>`;
}

// Each teacher has one column only: together they are one row.
function teachersRow(group: Shown, heads: readonly Head[], id: string): Markup | undefined {
  const teachers = group.runs.filter(({ config }) => config.kind === 'teacher');
  if (teachers.length === 0) return undefined;
  return markup`<tr><th scope="row">Teachers</th>${heads.map((head) =>
    answer(
      teachers.find(({ config }) => config.modalities.includes(head.key)),
      head,
      id,
    ),
  )}</tr>`;
}

function answer(run: StartedRun | undefined, head: Head, id: string): Markup {
  if (!run?.predictions) return markup`<td class="none">–</td>`;
  const { ids, labels, classNames, predictions } = run.predictions;
  const index = ids.indexOf(id);
  const predicted = index < 0 ? undefined : predictions[head.key]?.[index];
  if (predicted === undefined) return markup`<td class="none">–</td>`;
  if (classNames.length === 0) return markup`<td>${shortNumber(predicted as number, 4)}</td>`;
  const isRight = isSameLabel(predicted, labels[index] as Label);
  const name =
    [predicted]
      .flat()
      .map((id) => classNames[id] ?? String(id))
      .join(', ') || 'none';
  return markup`<td class="${isRight ? 'right' : 'wrong'}"><span aria-label="${isRight ? 'right' : 'wrong'}">${isRight ? '✓' : '✗'}</span> ${name}</td>`;
}
