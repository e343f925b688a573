import * as tf from '@tensorflow/tfjs-core';
import { OptionError, shown, type RegressionOutput } from '@g2d/core';

const OUTPUTS: readonly RegressionOutput[] = ['sigmoid', 'identity'];

/** @throws {OptionError} Unless it is a way from the output of a regression to its value. */
export function assertRegressionOutput(output: unknown, option = 'output'): void {
  if ((OUTPUTS as readonly unknown[]).includes(output)) return;
  const accepted = OUTPUTS.join(' or ');
  throw new OptionError(`\`${option}\` is ${shown(output)}; it can be ${accepted}.`, {
    option,
    value: output,
    accepted,
  });
}

/**
 * The values of a regression from its outputs z, of the same shape: sigmoid(z), or z itself.
 *
 * @param output Default `'sigmoid'`.
 */
export const regressionValue = <T extends tf.Tensor>(z: T, output: RegressionOutput = 'sigmoid'): T =>
  output === 'identity' ? z : tf.sigmoid(z);
