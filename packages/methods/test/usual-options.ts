// Options of a method for tests that run every one of them.
import type { AnyMethod } from '@g2d/core';
import { z } from 'zod';

const USUAL: Readonly<Record<string, unknown>> = {
  alpha: 0.5,
  patience: 2,
  phaseEpochs: [1, 1],
  temperature: 10,
};

/** What a method has no default for. */
export function neededOptions({ options }: AnyMethod, changes: object = {}): Record<string, unknown> {
  const { required = [] } = z.toJSONSchema(options, { io: 'input' });
  const known: Readonly<Record<string, unknown>> = { ...USUAL, ...changes };
  return Object.fromEntries(required.map((option) => [option, known[option] ?? 1]));
}
