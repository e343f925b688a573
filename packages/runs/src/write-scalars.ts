import type { EpochRecord } from '@g2d/core';
import type { EventFile } from '@g2d/formats/node';

/** An epoch's numbers as TensorBoard's curves: `loss/total`, `validation/fused`, `coefficients/audio`, … */
export function writeScalars(events: EventFile, { epoch, metrics, ...record }: EpochRecord): void {
  for (const [name, value] of Object.entries(record)) {
    if (typeof value === 'number') events.scalar(`run/${name}`, value, epoch);
    else for (const [part, number] of numbers(value)) events.scalar(`${name}/${part}`, number, epoch);
  }
  for (const [split, heads] of Object.entries(metrics ?? {})) {
    for (const [head, found] of Object.entries(heads as object)) {
      for (const [metric, value] of numbers(found)) {
        events.scalar(`${split}_${metric}/${head}`, value, epoch);
      }
    }
  }
  events.flush();
}

const numbers = (record: unknown): (readonly [string, number])[] =>
  typeof record === 'object' && record !== null
    ? Object.entries(record).filter((entry): entry is [string, number] => typeof entry[1] === 'number')
    : [];
