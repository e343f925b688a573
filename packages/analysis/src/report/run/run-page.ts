import { checkKeys, formatNumber } from '@g2d/core';
import { runLabel } from '../../methods.js';
import type { StartedRun, Task } from '../../run.js';
import { SCORES } from '../../score-words.js';
import { flatSettings, isPrioritized } from '../../run-settings.js';
import { confidenceSection } from '../confidence.js';
import { pointsList } from '../findings.js';
import { runLead } from '../lead.js';
import { markup, type Markup } from '../markup.js';
import { renderPage } from '../page.js';
import { samplesSection, type ReportSample } from '../samples.js';
import { section, type Section } from '../sections.js';
import { commandBlock, factsList, timeTable } from '../settings.js';
import { confusionOfRun, perClassTable } from './classes.js';
import { viewOf, type RunView } from './heads-of-run.js';
import { calibrationCurves, headCurves, lossAndOtherCurves } from './run-curves.js';
import { runFindings } from './run-findings.js';
import { metricsTable, runOverview } from './run-overview.js';
import { scatterPlots } from './scatter.js';

/** What the page is about, for `renderRunReport`. */
export interface RunReportOptions {
  /** From `readRun`, or from `readStartedRun` while it is not finished. */
  readonly run: StartedRun;
  /** Default: the run's name, the data and the seed. */
  readonly title?: string;
  /** Test samples to show; the page stays below 1.5 MB with a dozen short ones. Default: none. */
  readonly samples?: readonly ReportSample[];
  /** The command line that makes this run again. */
  readonly command?: string;
}

/**
 * One self-contained HTML page about one run, finished or not: results of every head, learning curves, who trained when,
 * confusions or predicted against true values, calibration, settings.
 *
 * As for `renderReport`: no script, no request, every text escaped, parts without data left out.
 *
 * @returns The text of the file.
 * @example
 * const run = readStartedRun('packages/analysis/fixtures/run-group/g2d');
 * writeFileSync('report.html', renderRunReport({ run }));
 */
export function renderRunReport(options: RunReportOptions): string {
  checkKeys(options, { run: true, title: true, samples: true, command: true }, 'renderRunReport');
  const { run, title = defaultTitle(run) } = options;
  const view = viewOf(run);
  const { headline, points } = runFindings(view);
  return renderPage({
    title,
    lead: runLead(run.config.kind, run.config.modalities),
    headline,
    overview: [runOverview(view), pointsList(points)],
    sections: sectionsOf(view, options),
    source: 'run folder',
  });
}

function defaultTitle({ config, summary }: StartedRun): string {
  const dataset = summary?.dataset ?? config.dataset?.name;
  return `${runLabel(config)}${dataset === undefined ? '' : ` on ${dataset}`}, seed ${config.seed}`;
}

const RESULTS_HINTS: Readonly<Record<Task, string>> = {
  classification:
    ' The calibration error is the expected difference between how sure the model is and how often it is right, in percent.',
  regression: '',
  'multi-label':
    ' At a probability of 0.5: micro F1 of all answers of all classes together, macro F1 the mean of every class, and the samples whose classes are all right. mAP is the mean of the average precision of every class, which needs no threshold.',
};

function sectionsOf(view: RunView, { samples = [], command }: RunReportOptions): Section[] {
  const { run, task, results } = view;
  const { isError, title } = SCORES[task];
  const shown = { runs: [run], modalities: run.config.modalities };
  const hasEpochs = run.metrics.length > 0;
  const calibration = calibrationCurves(view);
  const selected = `Of the selected epoch${results.epoch === undefined ? '' : ` (${results.epoch})`}`;
  const of = run.summary
    ? selected
    : `Not finished: of epoch ${results.epoch ?? 0}, the last that was evaluated`;
  return [
    section('results', metricsTable(view), {
      hint: `${of}.${RESULTS_HINTS[task]}`,
    }),
    section('curves', hasEpochs && headCurves(view), {
      hint: `${title} in percent${isError ? ' (less is better)' : ''} by epoch, one panel per head. Thick: validation. Dotted: test. Thin and dashed: training. Dotted level line: the modality’s teacher. Ring: the selected epoch. Shaded: one modality goes first.`,
    }),
    section('losses', hasEpochs && lossAndOtherCurves(view), {
      hint: 'Training loss by epoch, the total and its parts, on a logarithmic scale.',
    }),
    section(
      'schedule',
      run.config.kind === 'student' && confidenceSection(shown),
      isPrioritized(run.config)
        ? {}
        : {
            title: 'What the method did',
            hint: 'By how much the method passed on each modality’s gradients, epoch by epoch.',
          },
    ),
    section('confusion', confusionOfRun(view)),
    section('classes', perClassTable(view), {
      hint: 'Test split. Precision: how often the model is right when it says this class. Recall: how many of the class it finds. F1: their harmonic mean.',
    }),
    section('scatter', scatterPlots(view), {
      hint: 'Test split, one dot per sample; on the line the prediction is exact.',
    }),
    section('calibration', calibration && markup`<div class="panels">${calibration}</div>`, {
      hint: 'Expected difference between how sure the model is and how often it is right, from 0 (honest) to 1. It often grows while the accuracy still rises: the model becomes surer than it should be.',
    }),
    section('samples', samples.length > 0 && samplesSection(shown, samples), {
      hint: 'Some test samples as the model gets them, and what each head makes of them.',
    }),
    section('settings', settings(view, command)),
  ];
}

function settings({ run }: RunView, command: string | undefined): Markup {
  const { summary, metrics, config, teachers = {} } = run;
  const environment = [...flatSettings(config.environment ?? {})];
  const { stages } = summary ?? {};
  const { environment: _, versions: __, version: ___, components: ____, ...shown } = config;
  const seconds = metrics.flatMap((epoch) => epoch.seconds ?? []);
  const total = summary?.seconds ?? seconds.reduce((sum, value) => sum + value, 0);
  const memory = Math.max(0, ...metrics.flatMap((epoch) => epoch.memoryMB ?? []));
  const facts: (readonly [string, string])[] = [
    ['folder', run.folder],
    ['state', summary ? 'finished' : `${metrics.at(-1)?.epoch ?? 0} of ${config.epochs} epochs`],
    ...environment,
    ...(memory > 0 ? [['most memory', `${formatNumber(memory, 0)} MB`] as const] : []),
    ...Object.entries(teachers).map(
      ([modality, teacher]) =>
        [
          `teacher of ${modality}`,
          `${config.teachers?.[modality] ?? 'copied'}, seed ${teacher.config.seed}`,
        ] as const,
    ),
  ];
  return markup`${commandBlock(command)}
<div class="explained"><div><h3>Machine and versions</h3>${factsList(facts)}</div>
<div><h3>Time</h3>${timeTable({ ...(stages ?? { epochs: total }), total })}</div></div>
<h3>Configuration</h3>${factsList([...flatSettings(shown)])}`;
}
