import { OptionError } from '@g2d/tensor-ops';
import type { MlaOptions } from './mla.js';

const CHOICES = {
  projection: ['off', 'scalar', 'released-elementwise'],
  otherEncoders: ['freeze', 'zero'],
} as const;

/** Throws unless what does not depend on the model is accepted: types do not stop plain JavaScript. */
export function assertMlaOptions({ width, ...options }: MlaOptions): void {
  for (const option of ['projection', 'otherEncoders'] as const) {
    const value = options[option];
    const choices: readonly string[] = CHOICES[option];
    if (value === undefined || choices.includes(value)) continue;
    throw new OptionError(`\`${option}\` is "${String(value)}"; it must be one of ${choices.join(', ')}.`, {
      option,
      value,
      accepted: choices.join(', '),
    });
  }
  if (width === undefined || (Number.isSafeInteger(width) && width > 0)) return;
  throw new OptionError(`\`width\` is ${width}; expected a positive integer.`, {
    option: 'width',
    value: width,
    accepted: 'a positive integer',
  });
}
