import { checkKeys } from '@g2d/core';
import { formatCount, formatList } from '../../format.js';
import { tableCells } from '../../format-table.js';
import { resultsTable } from '../../results-table.js';
import type { RunGroup } from '../../run.js';
import { cellsTable } from '../cells-table.js';
import { confidenceSection } from '../confidence.js';
import { confusionSection } from '../confusion.js';
import { accuracyCurves, lossCurves } from '../curves.js';
import { pointsList } from '../findings.js';
import { glossary, groupLead } from '../lead.js';
import type { Markup } from '../markup.js';
import { overview } from '../overview.js';
import { renderPage } from '../page.js';
import { samplesSection, type ReportSample } from '../samples.js';
import { section, type Section } from '../sections.js';
import { settingsSection } from '../settings.js';
import { groupFindings, testSize } from './group-findings.js';

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
  const { title, group, introduction } = checkKeys(
    options,
    { title: true, group: true, introduction: true, samples: true, command: true },
    'renderReport',
  );
  const { headline, points } = groupFindings(group);
  return renderPage({
    title,
    lead: groupLead(group.modalities),
    introduction,
    headline,
    overview: [overview(group), pointsList(points), glossary()],
    sections: sectionsOf(options),
  });
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
    { of: chosen, words: 'at the epoch that was best on the validation split' },
    {
      of: onTest,
      words: 'at the epoch that was best on the test split itself (test-best), which is too high',
    },
  ].filter(({ of }) => of.length > 0);
  const [only] = groups;
  if (!only) return ', after the last epoch';
  if (groups.length === 1 && last === 0) return `, ${only.words}`;
  const named = groups.map(({ of, words }) => `${formatList(of.map(({ config }) => config.name))} ${words}`);
  return `: ${[...named, ...(last > 0 ? ['the others after their last'] : [])].join(', ')}`;
}

function sectionsOf({ group, samples = [], command }: ReportOptions): Section[] {
  const count = testSize(group);
  const hasRuns = group.runs.length > 0;
  return [
    section('results', resultsMarkup(group), {
      hint: `Accuracy in percent on the test split${count === undefined ? '' : ` (${formatCount(count)} samples)`}${epochsOf(group)}. The columns of the modalities are single heads; the last column is the gain of the fused answer in points.`,
    }),
    section('curves', hasRuns && accuracyCurves(group), {
      hint: 'Accuracy in percent by epoch, the same axes everywhere. Solid: validation. Thin and dashed: training. Dotted level lines: what each modality’s teacher reaches on validation. Ring: the chosen epoch. Shaded: one modality goes first.',
    }),
    section('losses', hasRuns && lossCurves(group), {
      hint: 'Training loss by epoch on a logarithmic scale, the same axes everywhere. Parts: student (the task itself), feature and logit (distance from the teachers).',
    }),
    section('schedule', confidenceSection(group)),
    section('confusion', confusionSection(group)),
    section('samples', samples.length > 0 && samplesSection(group, samples), {
      hint: 'Some test samples as the model gets them, and what each model makes of them.',
    }),
    section('settings', settingsSection(group, command)),
  ];
}

function resultsMarkup(group: RunGroup): Markup {
  const rows = resultsTable(group);
  const { header, cells } = tableCells(rows);
  const lines = cells.map((line, index) => ({ cells: line, kind: rows[index]?.kind ?? '' }));
  return cellsTable('results', header, lines);
}
