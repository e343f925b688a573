import { formatCount, withPercent, withPoints } from '../../format.js';
import type { Selection } from '../../run.js';
import { standardError } from '../comparison.js';
import type { Findings } from '../findings.js';
import { teacherResults, type RunView } from './heads-of-run.js';

const SELECTED: Readonly<Record<Selection, string>> = {
  'validation-best': 'the best one on the validation part',
  'test-best': 'the best one on the test part itself (test-best)',
  last: 'the last one',
};

/** A difference of heads this large is called an imbalance, in points. */
const NOTABLE = 5;

/** What one run's numbers say, in sentences. */
export function runFindings(view: RunView): Findings {
  return {
    headline: headline(view),
    points: [
      ...progress(view),
      ...selection(view),
      ...imbalance(view),
      ...memorized(view),
      ...certainty(view),
    ],
  };
}

function headline({ run, regression, main, results }: RunView): string {
  const { epochs } = run.config;
  const opening = run.summary ? '' : `Not finished: ${run.metrics.at(-1)?.epoch ?? 0} of ${epochs} epochs. `;
  const part = results.test[main.key] === undefined ? 'validation' : 'test';
  const value = results[part][main.key];
  if (value === undefined) return `${opening}Nothing has been measured yet.`;
  const of = main.key === 'fused' ? 'The fused answer' : `The ${main.key} model`;
  if (regression)
    return `${opening}${of} is ${withPercent(value)} off on average on the ${part} part (MAPE).`;
  return `${opening}${of} is right on ${withPercent(value)} of the ${part} samples.`;
}

function progress({ run, results }: RunView): Findings['points'] {
  if (run.summary) return [];
  const text =
    results.epoch === undefined
      ? 'This run is still going, or was stopped before its first evaluation.'
      : `This run is still going, or was stopped. The numbers are of epoch ${results.epoch}, the last that was evaluated, and no epoch has been selected yet.`;
  return [{ title: 'This run is not finished', text }];
}

function selection({ run, results }: RunView): Findings['points'] {
  const select = run.summary?.select ?? run.config.select;
  if (!run.summary || results.epoch === undefined) return [];
  const of = `The numbers are of epoch ${results.epoch} of ${run.config.epochs}`;
  if (select === undefined) return [{ title: 'Which epoch', text: `${of}.` }];
  const warning =
    select === 'test-best'
      ? ' The epoch was chosen by the same samples that it is measured on, so the test numbers are too high.'
      : '';
  const title = select === 'test-best' ? 'Selected on the test part' : 'Which epoch';
  return [{ title, text: `${of}, ${SELECTED[select]}.${warning}` }];
}

function imbalance({ run, regression, results }: RunView): Findings['points'] {
  const part = Object.keys(results.test).length > 0 ? 'test' : 'validation';
  const { modalities, kind } = run.config;
  if (kind === 'teacher') return [];
  const heads = modalities.flatMap((name) => {
    const value = results[part][name];
    return value === undefined ? [] : [{ name, value }];
  });
  const sign = regression ? -1 : 1;
  heads.sort((a, b) => sign * (b.value - a.value));
  const [best, worst] = [heads[0], heads.at(-1)];
  if (!best || !worst || best === worst) return [];
  const gap = Math.abs(best.value - worst.value);
  const teachers = teacherResults(run, part);
  const behind = heads
    .flatMap(({ name, value }) => {
      const teacher = teachers[name];
      return teacher === undefined ? [] : [{ name, value, teacher, gap: sign * (teacher - value) }];
    })
    .sort((a, b) => b.gap - a.gap)[0];
  const between = `The ${best.name} head ${regression ? 'is off by' : 'is right on'} ${withPercent(best.value)}, the ${worst.name} head ${regression ? 'by' : 'on'} ${withPercent(worst.value)}: ${withPoints(gap)} apart.`;
  const left =
    behind && behind.gap >= NOTABLE
      ? ` The ${behind.name} head is ${withPoints(behind.gap)} behind its teacher (${withPercent(behind.teacher)}).`
      : behind
        ? ' No head is more than 5 points behind its teacher.'
        : ' What each modality could reach alone is not known here: no teacher’s results were found.';
  const title =
    behind && behind.gap >= NOTABLE ? `Left behind: ${behind.name}` : 'How the modalities compare';
  return [{ title, text: between + left }];
}

function memorized({ run, regression, main, results }: RunView): Findings['points'] {
  const epoch = run.metrics.find((one) => one.epoch === results.epoch) ?? run.metrics.at(-1);
  const train = epoch?.train[main.key];
  const part = results.validation[main.key] === undefined ? 'test' : 'validation';
  const value = results[part][main.key];
  if (train === undefined || value === undefined) return [];
  const gap = regression ? value - train : train - value;
  return [
    {
      title: 'Training and what it is worth',
      text: `In that epoch the training part is at ${withPercent(train)}, the ${part} part at ${withPercent(value)}: ${
        gap >= NOTABLE ? `${withPoints(gap)} are memorized rather than learned` : 'little of it is memorized'
      }. (Training is measured while the weights change, and with augmentation where there is any.)`,
    },
  ];
}

function certainty({ run, regression, main, results }: RunView): Findings['points'] {
  const samples = run.predictions?.ids.length;
  const value = results.test[main.key];
  if (regression || !samples || value === undefined) return [];
  return [
    {
      title: 'How sure is this?',
      text: `One seed (${run.config.seed}), ${formatCount(samples)} test samples: an accuracy near ${withPercent(value)} has a sampling error of ±${standardError(value, samples).toFixed(1)}\u00a0points (one standard error). What another seed would change comes on top.`,
    },
  ];
}
