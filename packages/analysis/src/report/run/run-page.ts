import { formatList } from '../../format.js';
import { runLabel } from '../../methods.js';
import type { StartedRun } from '../../run.js';
import { flatSettings, isPrioritized } from '../../run-settings.js';
import { confidenceSection } from '../confidence.js';
import { markup, type Markup } from '../markup.js';
import { samplesSection, type ReportSample } from '../samples.js';
import { commandBlock, factsList, timeTable } from '../settings.js';
import { pageShell, pointsList, type Section } from '../shell.js';
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
  const { run } = options;
  const view = viewOf(run);
  const { headline, points } = runFindings(view);
  return pageShell({
    title: options.title ?? defaultTitle(run),
    header: markup`<p class="lead">${lead(view)}</p>`,
    headline,
    overview: markup`${runOverview(view)}${points.length > 0 && pointsList(points)}`,
    sections: sectionsOf(view, options),
    footer: 'Made by @g2d/analysis from the run folder alone. Nothing on this page is loaded from elsewhere.',
  });
}

function datasetOf({ config, summary }: StartedRun): string | undefined {
  return summary?.dataset ?? config.dataset?.name;
}

function defaultTitle(run: StartedRun): string {
  const dataset = datasetOf(run);
  return `${runLabel(run.config)}${dataset === undefined ? '' : ` on ${dataset}`}, seed ${run.config.seed}`;
}

function lead({ run }: RunView): Markup {
  const { modalities, kind } = run.config;
  if (kind === 'teacher') {
    return markup`A model trained on one modality alone, <b>${modalities.join(', ')}</b>: what it reaches is what this modality has to offer a joint model.`;
  }
  return markup`A model that learns from ${formatList(modalities)} at once. Beside its <b>fused</b> answer, each modality’s own <b>head</b> shows how much of that modality the model has learned.`;
}

function sectionsOf(view: RunView, { samples = [], command }: RunReportOptions): Section[] {
  const { run, regression } = view;
  const { modalities } = run.config;
  const shown = { runs: [run], modalities };
  const hasEpochs = run.metrics.length > 0;
  const table = metricsTable(view);
  const schedule = run.config.kind === 'student' ? confidenceSection(shown) : undefined;
  const confusion = confusionOfRun(view);
  const perClass = perClassTable(view);
  const scatter = scatterPlots(view);
  const calibration = calibrationCurves(view);
  const score = regression ? 'MAPE in percent (less is better)' : 'Accuracy in percent';
  const sections: (Section | undefined)[] = [
    table && {
      id: 'results',
      title: 'Results',
      hint: `${run.summary ? `Of the selected epoch${view.results.epoch === undefined ? '' : ` (${view.results.epoch})`}` : `Not finished: of epoch ${view.results.epoch ?? 0}, the last that was evaluated`}.${regression ? '' : ' The calibration error is the expected difference between how sure the model is and how often it is right, in percent.'}`,
      content: table,
    },
    hasEpochs
      ? {
          id: 'curves',
          title: 'Learning curves',
          hint: `${score} by epoch, one panel per head. Thick: validation. Dotted: test. Thin and dashed: training. Dotted level line: the modality’s teacher. Ring: the selected epoch. Shaded: one modality goes first.`,
          content: headCurves(view),
        }
      : undefined,
    hasEpochs
      ? {
          id: 'losses',
          title: 'Losses',
          hint: 'Training loss by epoch, the total and its parts, on a logarithmic scale.',
          content: lossAndOtherCurves(view),
        }
      : undefined,
    schedule && {
      id: 'schedule',
      title: isPrioritized(run.config) ? 'Confidence and schedule' : 'What the method did',
      hint: isPrioritized(run.config)
        ? 'How sequential modality prioritization decides who trains.'
        : 'By how much the method passed on each modality’s gradients, epoch by epoch.',
      content: schedule,
    },
    confusion && {
      id: 'confusion',
      title: 'What is mistaken for what',
      hint: 'Test samples by true class (rows) and predicted class (columns). The stronger or brighter a cell, the larger its share of the true class; the diagonal is right.',
      content: confusion,
    },
    perClass && {
      id: 'classes',
      title: 'Class by class',
      hint: 'Test part. Precision: how often the model is right when it says this class. Recall: how many of the class it finds. F1: their harmonic mean.',
      content: perClass,
    },
    scatter && {
      id: 'scatter',
      title: 'Predicted against true',
      hint: 'Test part, one dot per sample; on the line the prediction is exact.',
      content: scatter,
    },
    calibration && {
      id: 'calibration',
      title: 'Calibration',
      hint: 'Expected difference between how sure the model is and how often it is right, from 0 (honest) to 1. It often grows while the accuracy still rises: the model becomes surer than it should be.',
      content: markup`<div class="panels">${calibration}</div>`,
    },
    samples.length === 0
      ? undefined
      : {
          id: 'samples',
          title: 'Samples',
          hint: 'Some test samples as the model gets them, and what each head makes of them.',
          content: samplesSection(shown, samples),
        },
    {
      id: 'settings',
      title: 'Settings',
      hint: 'What was run, where, and how to run it again.',
      content: settings(view, command),
    },
  ];
  return sections.filter((section) => section !== undefined);
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
    ...(memory > 0 ? [['most memory', `${Math.round(memory)} MB`] as const] : []),
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
