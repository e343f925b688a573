import { formatList } from '../format.js';
import { tableCells } from '../format-table.js';
import { resultsTable } from '../results-table.js';
import type { RunGroup } from '../run.js';
import { confidenceSection } from './confidence.js';
import { confusionSection } from './confusion.js';
import { accuracyCurves, lossCurves } from './curves.js';
import { findings, testSize } from './findings.js';
import { markup, type Markup } from './markup.js';
import { overview } from './overview.js';
import { samplesSection, type ReportSample } from './samples.js';
import { settingsSection } from './settings.js';
import { pageShell, pointsList, type Section } from './shell.js';

/** What the page is about, for `renderReport`. */
export interface ReportOptions {
  readonly title: string;
  readonly group: RunGroup;
  /** A paragraph about the data, as plain text. */
  readonly introduction?: string;
  /** Test samples to show; the page stays below 1.5 MB with a dozen short ones. Default: none. */
  readonly samples?: readonly ReportSample[];
  /** The command line that makes these runs again. */
  readonly command?: string;
}

/**
 * One self-contained HTML page about a group of runs: what imbalance is, who suffers from it, what each method does
 * about it, and how sure that is.
 *
 * The page has no script and loads nothing: pictures and sounds are inside, and its own policy forbids requests. Every
 * sentence about results is made from the numbers of the run folders. Parts whose runs are absent are left out.
 *
 * @param options Every text in it may hold any character: it is escaped.
 * @returns The text of the file.
 * @example
 * const group = readRunGroup('packages/analysis/fixtures/run-group');
 * writeFileSync('report.html', renderReport({ title: 'Digits', group }));
 */
export function renderReport(options: ReportOptions): string {
  const { title, group } = options;
  const { headline, points } = findings(group);
  const sections = sectionsOf(options);
  return pageShell({
    title,
    header: markup`<p class="lead">${lead(group.modalities)}</p>
${options.introduction !== undefined && markup`<p class="introduction">${options.introduction}</p>`}`,
    headline,
    overview: markup`${overview(group)}
${pointsList(points)}
${words()}`,
    sections,
    footer:
      'Made by @g2d/analysis from the run folders alone. Nothing on this page is loaded from elsewhere.',
  });
}

function lead(modalities: readonly string[]): Markup {
  const here =
    modalities.length > 1
      ? ` Here there are ${countWord(modalities.length)}: ${formatList(modalities)}.`
      : '';
  return markup`A model that learns from several kinds of input at once tends to lean on the one that is quickest to learn, and the others stop learning long before they are as good as they could be. That is <b>modality imbalance</b>.${here}`;
}

function countWord(count: number): string {
  return ['two', 'three', 'four', 'five'][count - 2] ?? String(count);
}

function words(): Markup {
  return markup`<details class="words"><summary>The words on this page</summary><dl>
<div><dt>modality</dt><dd>one kind of input, such as sound or pictures</dd></div>
<div><dt>teacher</dt><dd>a model trained on one modality alone; how far it gets is what that modality has to offer</dd></div>
<div><dt>head of a modality</dt><dd>the part of the joint model that answers from this modality alone; it shows how much of the modality the model has learned</dd></div>
<div><dt>fused</dt><dd>the answer of the whole model, from all modalities together</dd></div>
<div><dt>logits</dt><dd>the scores of the classes, before they become probabilities</dd></div>
<div><dt>SMP</dt><dd>sequential modality prioritization: for a while, the gradients of the more confident modality are switched off</dd></div>
<div><dt>G2D</dt><dd>gradient-guided distillation: the joint model learns from the teachers’ features and logits, and SMP decides who trains when</dd></div>
</dl></details>`;
}

/** Which epoch's weights the numbers are of, as the end of a sentence. */
function epochsOf({ runs }: RunGroup): string {
  const onTest = runs.filter(({ summary }) => summary.select === 'test-best');
  const chosen = runs.filter(
    ({ config, summary }) =>
      summary.select !== 'test-best' && (summary.selectedEpoch ?? config.epochs) < config.epochs,
  );
  const last = runs.length - onTest.length - chosen.length;
  const groups = [
    { of: chosen, words: 'at the epoch that was best on the validation part' },
    {
      of: onTest,
      words: 'at the epoch that was best on the test part itself (test-best), which is too high',
    },
  ].filter(({ of }) => of.length > 0);
  const [only] = groups;
  if (!only) return ', after the last epoch';
  if (groups.length === 1 && last === 0) return `, ${only.words}`;
  const named = groups.map(({ of, words }) => `${formatList(of.map(({ config }) => config.name))} ${words}`);
  return `: ${[...named, ...(last > 0 ? ['the others after their last'] : [])].join(', ')}`;
}

function sectionsOf({ group, samples, command }: ReportOptions): Section[] {
  const count = testSize(group);
  const confidence = confidenceSection(group);
  const confusion = confusionSection(group);
  const sections: (Section | undefined)[] = [
    {
      id: 'results',
      title: 'Results',
      hint: `Accuracy in percent on the test part${count === undefined ? '' : ` (${count.toLocaleString('en-US')} samples)`}${epochsOf(group)}. The columns of the modalities are single heads; the last column is the gain of the fused answer in points.`,
      content: resultsMarkup(group),
    },
    group.runs.length === 0
      ? undefined
      : {
          id: 'curves',
          title: 'Learning curves',
          hint: 'Accuracy in percent by epoch, the same axes everywhere. Solid: validation. Thin and dashed: training. Dotted level lines: what each modality’s teacher reaches on validation. Ring: the chosen epoch. Shaded: one modality goes first.',
          content: accuracyCurves(group),
        },
    group.runs.length === 0
      ? undefined
      : {
          id: 'losses',
          title: 'Losses',
          hint: 'Training loss by epoch on a logarithmic scale, the same axes everywhere. Parts: student (the task itself), feature and logit (distance from the teachers).',
          content: lossCurves(group),
        },
    confidence && {
      id: 'schedule',
      title: 'Confidence and schedule',
      hint: 'How sequential modality prioritization decides who trains.',
      content: confidence,
    },
    confusion && {
      id: 'confusion',
      title: 'What is mistaken for what',
      hint: 'Test samples by true class (rows) and predicted class (columns). The stronger the colour of a cell, the larger its share of the true class; the diagonal is right.',
      content: confusion,
    },
    samples === undefined || samples.length === 0
      ? undefined
      : {
          id: 'samples',
          title: 'Samples',
          hint: 'Some test samples as the model gets them, and what each model makes of them.',
          content: samplesSection(group, samples),
        },
    {
      id: 'settings',
      title: 'Settings',
      hint: 'What was run, where, and how to run it again.',
      content: settingsSection(group, command),
    },
  ];
  return sections.filter((section) => section !== undefined);
}

function resultsMarkup(group: RunGroup): Markup {
  const rows = resultsTable(group);
  const { header, cells } = tableCells(rows);
  return markup`<div class="scroll"><table class="results"><thead><tr>${header.map((cell, column) => markup`<th scope="col"${column > 0 && markup` class="number"`}>${cell}</th>`)}</tr></thead>
<tbody>${cells.map(
    (line, index) =>
      markup`<tr class="${rows[index]?.kind ?? ''}">${line.map((cell, column) => (column === 0 ? markup`<th scope="row">${cell}</th>` : markup`<td class="number">${cell}</td>`))}</tr>`,
  )}</tbody></table></div>`;
}
