import { formatNumber } from '@g2d/core';
import { stepMethodOf } from './step-methods.js';
import type { StepNetworkUse } from './network.js';
import type { StepSetup } from './step-setup.js';
import type { StepMeasurement } from './measure-step.js';
import { formatTable, passWords } from '@g2d/cli/internal';
import type { ComparedSteps } from './compare-steps.js';
import { formatOperations } from './format-operations.js';
import type { OperationRow } from './operation-rows.js';
import type { ProcessorLimits } from './processor-limits.js';

/** A measurement and where it was made. */
interface StepReport extends StepMeasurement {
  /** That train together, if there are several. */
  readonly processes?: number;
  readonly network?: StepNetworkUse;
  readonly operations?: readonly OperationRow[];
  /** With the operations. */
  readonly limits?: ProcessorLimits;
  readonly backend: string;
  readonly device: string;
}

/** The text for a person. */
export function formatStep(
  setup: StepSetup,
  { backend, device, ms, peakRssMB, stages = [], processes, network, operations, limits }: StepReport,
): string {
  const { dataset, batch, method, phase, teachers, scope, prioritized, steps, warmup } = setup;
  const { precision, teacherPrecision } = setup;
  const { label, parts: methods } = stepMethodOf(method);
  const parts = [
    `${dataset.title}, batch ${batch}: ${label}`,
    processes ? `${processes} processes with such a batch each` : '',
    prioritized ? `prioritized phase (${prioritized} trains)` : methods.length === 0 ? '' : `${phase} phase`,
    scope ? `scope ${scope}` : '',
    teachers === 'none' ? '' : `${teachers} teachers${teacherPrecision === 'bfloat16' ? ' (bfloat16)' : ''}`,
    `${precision}`,
    `backend ${backend} (${device})`,
  ];
  const table = formatTable(
    [
      ['', 'minimum', 'median', '95 %', 'peak memory'],
      [
        'one step',
        ...[ms.min, ms.median, ms.p95].map((value) => `${formatNumber(value)} ms`),
        `${peakRssMB} MB`,
      ],
      ...stages.map(({ name, share, ms: own }) => [
        `  ${name} (${formatNumber(100 * share, 0)} % of the epochs)`,
        ...[own.min, own.median, own.p95].map((value) => `${formatNumber(value)} ms`),
        '',
      ]),
    ],
    [false, true, true, true, true],
  );
  const more = `${network ? networkText(network) : ''}${operations && limits ? `\n${formatOperations(operations, limits)}` : ''}`;
  return `${parts.filter((part) => part !== '').join(', ')}\n\n${table}\n${steps} ${steps === 1 ? 'step' : 'steps'} timed after ${warmup} to warm up\n${more}`;
}

const networkText = ({ sums, megabytes, gigabits }: StepNetworkUse): string =>
  `${formatNumber(sums, 0)} sums a step, ${megabytes} MB each way in each process: a network of ${gigabits} Gbit/s carries that in a tenth of the step\n`;

/** The text for a person, of several methods next to joint training. */
export function formatCompared(
  { dataset, batch, precision, steps, warmup }: StepSetup,
  { backend, device, methods, skipped, rounds }: ComparedReport,
): string {
  const rows = methods.map(({ method, ms, joint, ratio }) => {
    const { label, recipe } = stepMethodOf(method);
    return [
      label,
      `${formatNumber(ms)} ms`,
      `${formatNumber(joint)} ms`,
      formatNumber(ratio.median, 2),
      `${formatNumber(ratio.min, 2)} to ${formatNumber(ratio.max, 2)}`,
      passWords(recipe.cost.forward),
      passWords(recipe.cost.backward),
    ];
  });
  const header = ['', 'a step', 'joint training', 'ratio', 'of the rounds', 'forward', 'backward'];
  const table = formatTable([header, ...rows], [false, true, true, true, true, true, true]);
  const notes = skipped.map(({ method, reason }) => `${method}: ${reason}\n`).join('');
  return `${dataset.title}, batch ${batch}, ${precision}, backend ${backend} (${device}): medians of a step, each method in turn with joint training\n\n${table}\n${rounds} ${rounds === 1 ? 'round' : 'rounds'} of ${steps} ${steps === 1 ? 'step' : 'steps'} after ${warmup} to warm up, in each stage; forward and backward are passes of all encoders with two modalities, as counted; teachers are cached\n${notes}`;
}

/** A comparison and where it was made. */
interface ComparedReport extends ComparedSteps {
  readonly backend: string;
  readonly device: string;
  readonly rounds: number;
}
