import { formatNumber } from '@g2d/core';
import { stepMethodOf } from './step-methods.js';
import type { StepSetup } from './step-setup.js';
import type { StepMeasurement } from './measure-step.js';
import { formatTable } from '@g2d/cli/internal';

/** A measurement and where it was made. */
interface StepReport extends StepMeasurement {
  readonly backend: string;
  readonly device: string;
}

/** The text for a person. */
export function formatStep(setup: StepSetup, { backend, device, ms, peakRssMB }: StepReport): string {
  const { dataset, batch, method, phase, teachers, scope, prioritized, steps, warmup } = setup;
  const { precision, teacherPrecision } = setup;
  const { label, parts: methods } = stepMethodOf(method);
  const parts = [
    `${dataset.title}, batch ${batch}: ${label}`,
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
    ],
    [false, true, true, true, true],
  );
  return `${parts.filter((part) => part !== '').join(', ')}\n\n${table}\n${steps} ${steps === 1 ? 'step' : 'steps'} timed after ${warmup} to warm up\n`;
}
