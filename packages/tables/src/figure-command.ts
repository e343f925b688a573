import { join } from 'node:path';
import { figureCsv, figureSvg } from '@g2d/analysis';
import { defineCommand } from '@g2d/cli';
import { commandLine, engineOf, engineOptions, planOn, sweepInTerminal } from '@g2d/cli/internal';
import { OptionError, printable } from '@g2d/core';
import { makeFolder, writeFileAtomic } from '@g2d/formats/node';
import { loadTensorFlow } from '@g2d/native';
import { createProgress } from '@g2d/runs';
import { dryRun } from './dry-run.js';
import { buildFigure, FIGURES, type FigureNumber } from './figures/build-figure.js';
import { SPACES, type Space } from './figures/features.js';
import { figurePng } from './figures/figure-png.js';
import { figureMarkdown, figureText, type FigureReport } from './figures/figure-report.js';
import { figureRuns } from './figures/figure-runs.js';
import { judgeFigureClaims } from './figures/judge-claims.js';
import { headingOf } from './notes/heading.js';
import { parseSeeds } from './parse-seeds.js';
import { openRuns, partOf } from './plan/open-runs.js';
import { parseScale, SCALES } from './plan/places.js';
import { planTable } from './plan/plan-table.js';
import { assertSomeData, presentData } from './plan/present-data.js';
import { knownResults } from './results/known-results.js';
import { mixedVersions } from './results/versions.js';

/** Why no claim is judged at the scale that has a few samples. */
const UNTESTED = 'two or three epochs on a few samples test the program, and no claim';

/** `g2d figure`. */
export const figureCommand = defineCommand({
  usage: 'N [options]',
  description: `Draws one of the paper's figures that show results, 1, 3, 4, 5 or 6, from runs of ours: as SVG and PNG, with every number behind it as CSV, and says whether the paper's claims about it hold.

What is missing is trained first, each run once for all tables and figures of a scale; what is finished stays, and the same command goes on after an interruption. Started in the folder of the repository.`,
  options: {
    scale: {
      value: 'NAME',
      default: 'small',
      help: `${SCALES.join(', ')}: a few samples of the tests' fixtures; real data that come with the repository (default); the paper's data and settings`,
    },
    protocol: {
      value: 'NAME',
      help: 'at the scale paper: published (all training samples, best epoch on test; default), or validation',
    },
    seeds: { value: 'LIST', help: "such as 0,1,2, in place of the scale's" },
    ...engineOptions,
    space: {
      value: 'NAME',
      help: 'of Figure 4: features, or logits of the heads (default: features, and logits where the two modalities have features of different widths)',
    },
    out: { value: 'DIR', help: 'where the files go (default: runs/figures/SCALE)' },
    'dry-run': { help: 'says how many runs there are and what they take, and trains nothing' },
    'no-train': { help: 'draws what has been run' },
    'allow-mixed': { help: 'takes runs of different versions together' },
    quiet: { help: 'no progress' },
  },
  details: `A figure is drawn from run folders, with their weights: results that g2d tables collect wrote are enough for a table, and not for it.

Files: figure-N.svg, figure-N.png, figure-N.csv (quantity, dataset, method, head, seed, split, epoch, sample, value), figure-N.md.

Exit code: 0; 1 if a run failed; 2 for an error that says what to do; 130 if interrupted.

Example: g2d figure 4 --scale small --out results/figures`,
  async run({ values, positionals: [text, ...rest], args }, { out, err }) {
    if (rest.length > 0) {
      throw new OptionError(`"${rest[0]}" is one argument too many; it takes one figure.`, {
        option: 'N',
        value: rest[0],
        accepted: 'one figure',
      });
    }
    const number = parseFigure(text);
    const scale = parseScale(values.scale);
    const space = parseSpace(values.space, number);
    const seeds = parseSeeds(values.seeds);
    const plan = await planTable(`figure-${number}`, { scale, protocol: values.protocol, seeds });
    const data = await presentData(plan);
    let known = knownResults(plan, []);
    // A figure is drawn from the folders themselves, and those of the teachers.
    const openOf = (absent: typeof data.absent) =>
      openRuns(plan, {
        known: known.finished,
        finished: known.finished,
        wanted: new Set(plan.members.flatMap(({ needs }) => needs)),
        absent,
      });
    if (values['dry-run']) {
      // Also what waits for its data.
      const all = openOf(new Map());
      const part = planOn(partOf(plan.pool, all), values.processes);
      out(dryRun(plan, { known, data, open: all, processes: part.queues?.processes ?? 1 }));
      return 0;
    }
    const open = values['no-train'] ? [] : openOf(data.absent);
    if (!values['no-train'] && known.results.size === 0) assertSomeData(data);
    let exitCode = 0;
    const say = (line: string): void => err(`${printable(line, { line: true })}\n`);
    if (open.length > 0) {
      for (const [, message] of data.absent) say(message);
      const part = planOn(partOf(plan.pool, open), values.processes);
      const engine = engineOf({ ...values, processes: part.queues?.processes ?? 1 }, out);
      const outcome = await sweepInTerminal(part, { engine, quiet: values.quiet });
      exitCode = outcome.exitCode;
      if (engine.handsOver) {
        err(
          'The runs are handed over. Once they are finished, the same command with --no-train draws the figure.\n',
        );
        return exitCode;
      }
      if (exitCode > 1) return exitCode;
      known = knownResults(plan, []);
    }
    const mixed = mixedVersions([...known.results.values()]);
    if (mixed !== undefined && !values['allow-mixed']) {
      throw new OptionError(
        `${mixed}. Train those of one version again, or take them together with --allow-mixed.`,
        { option: 'allow-mixed', value: false, accepted: 'runs of one version' },
      );
    }
    const runs = figureRuns(plan, new Set(known.results.keys()));
    if (runs.length === 0) {
      throw new OptionError(
        `No student of Figure ${number} is finished. Leave --no-train out, and they are trained; g2d tables says what has been run.`,
        { option: 'N', value: number, accepted: 'a figure with finished runs' },
      );
    }
    if (![1, 3].includes(number)) await loadTensorFlow({ quiet: true });
    const notes: string[] = [];
    const progress = values.quiet ? undefined : createProgress(runs.length);
    let isFirst = true;
    try {
      const figure = await buildFigure(number, runs, {
        space,
        trust: values.trust,
        note: (line) => void (notes.includes(line) || notes.push(line)),
        stage: (name) => {
          if (!isFirst) progress?.advance(1);
          isFirst = false;
          progress?.stage(name);
        },
      });
      progress?.stop();
      const results = [...known.results.values()];
      const report: FigureReport = {
        figure,
        heading: headingOf({ scale, protocol: plan.protocol, results }),
        claims: judgeFigureClaims(figure.claims, { untested: scale === 'smoke' ? UNTESTED : undefined }),
        notes: [
          ...plan.notes,
          ...notes,
          ...(mixed === undefined ? [] : [`${mixed}; they are taken together as asked.`]),
          ...missingNote(plan.members.length - runs.length),
          ...[...data.absent].map(([dataset, message]) => `${dataset} is not run: ${message}`),
          ...known.refused,
        ],
        command: commandLine('npx g2d figure', args),
      };
      const folder = values.out ?? join('runs/figures', scale);
      const svg = figureSvg(figure);
      const png = await figurePng(svg);
      makeFolder(folder);
      const write = (ending: string, content: string | Uint8Array): string => {
        const path = join(folder, `figure-${number}.${ending}`);
        writeFileAtomic(path, content);
        return path;
      };
      const written = [
        write('svg', svg),
        write('png', png),
        write('csv', figureCsv(figure)),
        write('md', `${figureMarkdown(report, `figure-${number}.svg`)}\n`),
      ];
      out(
        `${figureText(report, process.stdout.columns ?? Infinity)}\n\n${written.map((path) => `${path}\n`).join('')}`,
      );
      return exitCode;
    } finally {
      progress?.stop();
    }
  },
});

/** @throws {OptionError} If the paper has no such figure of results. */
function parseFigure(text: string | undefined): FigureNumber {
  const number = FIGURES.find((figure) => String(figure) === text);
  if (number !== undefined) return number;
  const came =
    text === undefined
      ? 'N is missing'
      : text === '2'
        ? 'Figure 2 is a drawing of the method'
        : `There is no Figure ${text}`;
  throw new OptionError(`${came}; Figures ${FIGURES.join(', ')} show results.`, {
    option: 'N',
    value: text,
    accepted: FIGURES.join(', '),
  });
}

/** @throws {OptionError} If there is no such space, or the figure has none. */
function parseSpace(text: string | undefined, number: FigureNumber): Space | undefined {
  if (text === undefined) return undefined;
  const known = SPACES.find((space) => space === text);
  if (known !== undefined && number === 4) return known;
  const problem =
    known === undefined ? `--space is "${text}"; it can be ${SPACES.join(', ')}` : '--space is for Figure 4';
  throw new OptionError(`${problem}.`, { option: 'space', value: text, accepted: SPACES.join(', ') });
}

const missingNote = (count: number): string[] =>
  count === 0
    ? []
    : [`${count} of the figure's students ${count === 1 ? 'is' : 'are'} not finished, and not in it.`];
