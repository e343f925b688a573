import { OptionError } from '@g2d/core';
import type { ProjectionForm } from './mla-projection.js';
import type { SharedHeadWeights } from './shared-head.js';

/** Settings of `mla`. */
export interface MlaOptions<M extends string = string> {
  /** The order in which modalities take their steps. Default: the model's. */
  readonly order?: readonly M[];
  /**
   * What happens to the gradient of the head's kernel. `'off'` (default): nothing, as in the published numbers; the released code looks
   * for a parameter by a name that its head does not have. `'scalar'`: it is projected away from the features that the other
   * modalities showed, as the paper says. `'released-elementwise'`: as the released code would if it ran.
   */
  readonly projection?: 'off' | ProjectionForm;
  /** How predictions weigh the modalities, for `fusion`; see `SharedHeadOptions`. Default `'entropy'`. */
  readonly weights?: SharedHeadWeights<M>;
  /**
   * For `fusion`: every modality's features go through a linear layer to this width first. Default: they are taken as they are, and
   * encoders of different widths are an error.
   */
  readonly width?: number;
  /**
   * The encoders that have no part in a modality's step. `'freeze'` (default): they stay. `'zero'`: once they have had a gradient they
   * have one of zeros, so momentum and weight decay move them, as in old versions of PyTorch, whose cleared gradients were zeros.
   */
  readonly otherEncoders?: 'freeze' | 'zero';
}

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
