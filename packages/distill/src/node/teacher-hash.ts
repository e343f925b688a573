import { createHash } from 'node:crypto';
import type * as tf from '@tensorflow/tfjs-core';
import { OptionError } from '@g2d/core';
import { littleEndian } from './little-endian.js';

/**
 * SHA-256 of a teacher's weights: stored outputs are checked against it.
 *
 * Over all variables in the order of their names, whatever order they come in: for each the JSON of `[name, dtype, shape]`, a line feed,
 * and its bytes, little-endian. Give it everything that decides on the outputs, running statistics too.
 *
 * @param state Names and variables, as `MultimodalModel.state()` of `@g2d/fusion` has them. The names must be the same in every process.
 * @returns 64 hexadecimal digits.
 * @throws {OptionError} If there is no variable, a name comes twice, or a variable holds neither float32, int32 nor bool.
 * @example
 * const hash = await teacherHash(teacher.state());
 */
export async function teacherHash(
  state: Iterable<readonly [string, { read(): tf.Tensor }]>,
): Promise<string> {
  const variables = new Map<string, { read(): tf.Tensor }>();
  for (const [name, variable] of state) {
    if (variables.has(name))
      throw refused(`\`state\` has two variables "${name}"`, name, 'names that differ');
    variables.set(name, variable);
  }
  if (variables.size === 0) throw refused('`state` is empty', undefined, 'one variable or more');
  const hash = createHash('sha256');
  for (const name of [...variables.keys()].sort()) {
    const tensor = (variables.get(name) as { read(): tf.Tensor }).read();
    const { dtype, shape } = tensor;
    if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool') {
      throw refused(`"${name}" is ${dtype}`, dtype, 'float32, int32 or bool');
    }
    hash.update(`${JSON.stringify([name, dtype, shape])}\n`);
    hash.update(littleEndian(await tensor.data()));
  }
  return hash.digest('hex');
}

const refused = (problem: string, value: unknown, accepted: string): OptionError =>
  new OptionError(`${problem}; a hash needs ${accepted}. Pass the state of one model.`, {
    option: 'state',
    value,
    accepted,
  });
