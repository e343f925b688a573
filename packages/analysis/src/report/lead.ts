import { formatList } from '../format.js';
import { markup, type Markup } from './markup.js';

/** What a group of runs is about: what modality imbalance is, and of which modalities. */
export function groupLead(modalities: readonly string[]): Markup {
  const count = ['two', 'three', 'four', 'five'][modalities.length - 2] ?? String(modalities.length);
  return markup`A model that learns from several kinds of input at once tends to lean on the one that is quickest to learn, and the others stop learning long before they are as good as they could be. That is <b>modality imbalance</b>.${modalities.length > 1 && ` Here there are ${count}: ${formatList(modalities)}.`}`;
}

/** What one run is about. */
export function runLead(kind: 'teacher' | 'student', modalities: readonly string[]): Markup {
  if (kind === 'teacher') {
    return markup`A model trained on one modality alone, <b>${modalities.join(', ')}</b>: what it reaches is what this modality has to offer a joint model.`;
  }
  return markup`A model that learns from ${formatList(modalities)} at once. Beside its <b>fused</b> answer, each modality’s own <b>head</b> shows how much of that modality the model has learned.`;
}

/** What a comparison is about. */
export function comparisonLead(runs: number, rows: number): string {
  return `${runs} ${runs === 1 ? 'run' : 'runs'}, ${rows} ${rows === 1 ? 'method or setting' : 'methods or settings'}. A model that learns from several modalities at once tends to lean on one of them; “fused” is its whole answer, and the other columns are what its single heads have learned.`;
}

const WORDS = {
  modality: 'one kind of input, such as sound or pictures',
  teacher: 'a model trained on one modality alone; how far it gets is what that modality has to offer',
  'head of a modality':
    'the part of the joint model that answers from this modality alone; it shows how much of the modality the model has learned',
  fused: 'the answer of the whole model, from all modalities together',
  logits: 'the scores of the classes, before they become probabilities',
  SMP: 'sequential modality prioritization: for a while, the gradients of the more confident modality are switched off',
  G2D: 'gradient-guided distillation: the joint model learns from the teachers’ features and logits, and SMP decides who trains when',
};

/** The field's words, for those who do not know them. */
export function glossary(): Markup {
  return markup`<details class="words"><summary>The words on this page</summary><dl>
${Object.entries(WORDS).map(([word, meaning]) => markup`<div><dt>${word}</dt><dd>${meaning}</dd></div>\n`)}</dl></details>`;
}
