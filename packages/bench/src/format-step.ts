import type { StepMethod, StepSetup } from './step-setup.js';
import type { StepMeasurement } from './measure-step.js';
import { formatTable } from '@g2d/cli/internal';

const NAMES: Readonly<Record<StepMethod, string>> = {
  joint: 'joint training',
  smp: 'SMP',
  g2d: 'G2D',
  umt: 'UMT',
  ogm: 'OGM',
  'ogm-ge': 'OGM-GE',
};

/** A measurement and where it was made. */
interface StepReport extends StepMeasurement {
  readonly backend: string;
  readonly device: string;
}

/** The text for a person. */
export function formatStep(setup: StepSetup, { backend, device, ms, peakRssMB }: StepReport): string {
  const { dataset, batch, method, phase, teachers, scope, prioritized, steps, warmup } = setup;
  const { precision, teacherPrecision } = setup;
  const parts = [
    `${dataset.title}, batch ${batch}: ${NAMES[method]}`,
    prioritized ? `prioritized phase (${prioritized} trains)` : method === 'joint' ? '' : `${phase} phase`,
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
        ...[ms.min, ms.median, ms.p95].map((value) => `${value.toFixed(1)} ms`),
        `${peakRssMB} MB`,
      ],
    ],
    [false, true, true, true, true],
  );
  return `${parts.filter((part) => part !== '').join(', ')}\n\n${table}\n${steps} ${steps === 1 ? 'step' : 'steps'} timed after ${warmup} to warm up\n`;
}
