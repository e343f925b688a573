import { withPercent, withPoints } from '../../format.js';
import type { Selection, Task } from '../../run.js';
import { SCORES } from '../../score-words.js';
import {
  fromTeacher,
  gapsToTeachers,
  isHowGood,
  NOTABLE_GAP,
  point,
  samplingError,
  signOf,
  type Findings,
  type Point,
} from '../findings.js';
import { teacherResults, type RunView } from './heads-of-run.js';

const SELECTED: Readonly<Record<Selection, string>> = {
  'validation-best': 'the best one on the validation split',
  'test-best': 'the best one on the test split itself (test-best)',
  last: 'the last one',
};

/** What one run's numbers say, in sentences. */
export function runFindings(view: RunView): Findings {
  const { run, task, main, results } = view;
  return {
    headline: headline(view),
    points: [
      ...progress(view),
      ...selection(view),
      ...imbalance(view),
      ...memorized(view),
      // Neither an error in percent nor F1 is a share of right answers.
      ...(task === 'classification'
        ? samplingError(run.config.seed, run.predictions?.ids.length, results.test[main.key])
        : []),
    ],
  };
}

function headline({ run, task, main, results }: RunView): string {
  const { epochs } = run.config;
  const opening = run.summary ? '' : `Not finished: ${run.metrics.at(-1)?.epoch ?? 0} of ${epochs} epochs. `;
  const split = results.test[main.key] === undefined ? 'validation' : 'test';
  const value = results[split][main.key];
  if (value === undefined) return `${opening}Nothing has been measured yet.`;
  const of = main.key === 'fused' ? 'The fused answer' : `The ${main.key} model`;
  return `${opening}${of} is ${isHowGood(value, task, { split })}.`;
}

function progress({ run, results }: RunView): Point[] {
  if (run.summary) return [];
  const text =
    results.epoch === undefined
      ? 'This run is still going, or was stopped before its first evaluation.'
      : `This run is still going, or was stopped. The numbers are of epoch ${results.epoch}, the last that was evaluated, and no epoch has been selected yet.`;
  return point('This run is not finished', text);
}

function selection({ run, results }: RunView): Point[] {
  const select = run.summary?.select ?? run.config.select;
  if (!run.summary || results.epoch === undefined) return [];
  const of = `The numbers are of epoch ${results.epoch} of ${run.config.epochs}`;
  if (select === undefined) return point('Which epoch', `${of}.`);
  const warning =
    select === 'test-best'
      ? ' The epoch was chosen by the same samples that it is measured on, so the test numbers are too high.'
      : '';
  const title = select === 'test-best' ? 'Selected on the test split' : 'Which epoch';
  return point(title, `${of}, ${SELECTED[select]}.${warning}`);
}

/** What the score of a head is said with: the first head's words, and the other's. */
const HEAD_WORDS: Readonly<Record<Task, readonly [string, string]>> = {
  classification: ['is right on', 'on'],
  regression: ['is off by', 'by'],
  'multi-label': ['has a micro F1 of', 'of'],
};

function imbalance({ run, task, results }: RunView): Point[] {
  const { isError } = SCORES[task];
  const [opening, next] = HEAD_WORDS[task];
  const split = Object.keys(results.test).length > 0 ? 'test' : 'validation';
  const { modalities, kind } = run.config;
  if (kind === 'teacher') return [];
  const heads = modalities.flatMap((name) => {
    const value = results[split][name];
    return value === undefined ? [] : [{ name, value }];
  });
  heads.sort((a, b) => signOf(isError) * (b.value - a.value));
  const [best, worst] = [heads[0], heads.at(-1)];
  if (!best || !worst || best === worst) return [];
  const [behind] = gapsToTeachers(results[split], teacherResults(run, split), isError);
  const isNotable = behind !== undefined && behind.gap >= NOTABLE_GAP;
  const between = `The ${best.name} head ${opening} ${withPercent(best.value)}, the ${worst.name} head ${next} ${withPercent(worst.value)}: ${withPoints(best.value - worst.value)} apart.`;
  const left = isNotable
    ? ` The ${behind.modality} head is ${fromTeacher(behind, 'behind')}.`
    : behind
      ? ` No head is more than ${NOTABLE_GAP} points behind its teacher.`
      : ' What each modality could reach alone is not known here: no teacher’s results were found.';
  const title = isNotable ? `Left behind: ${behind.modality}` : 'How the modalities compare';
  return point(title, between + left);
}

function memorized({ run, task, main, results }: RunView): Point[] {
  const epoch = run.metrics.find((one) => one.epoch === results.epoch) ?? run.metrics.at(-1);
  const train = epoch?.train[main.key];
  const split = results.validation[main.key] === undefined ? 'test' : 'validation';
  const value = results[split][main.key];
  if (train === undefined || value === undefined) return [];
  const gap = signOf(SCORES[task].isError) * (train - value);
  const verdict =
    gap >= NOTABLE_GAP ? `${withPoints(gap)} are memorized rather than learned` : 'little of it is memorized';
  const text = `In that epoch the training split is at ${withPercent(train)}, the ${split} split at ${withPercent(value)}: ${verdict}. (Training is measured while the weights change, and with augmentation where there is any.)`;
  return point('Training and what it is worth', text);
}
