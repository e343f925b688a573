import type * as tf from '@tensorflow/tfjs-core';
import { assertShape } from '../assert.js';
import { OptionError } from '@g2d/core';
import type { NamedGradient } from '@g2d/core';
import type { Optimizer } from '@g2d/core';

/** An optimizer's variables by name. */
export type Variables = ReadonlyMap<string, tf.Variable>;

export const variablesByName = (variables: readonly tf.Variable[]): Variables =>
  new Map(variables.map((variable) => [variable.name, variable]));

/** What a step does to one variable. */
export interface Update {
  readonly variable: tf.Variable;
  readonly gradient: tf.Tensor;
  readonly learningRate: number;
}

/**
 * The variables that a step changes, with their gradients and learning rates.
 *
 * @param rate The optimizer.
 */
export function updates(
  variables: Variables,
  gradients: readonly NamedGradient[],
  rate: Pick<Optimizer, 'learningRate' | 'learningRateFactorOf'>,
): Update[] {
  const seen = new Set<string>();
  return gradients.flatMap(({ name, tensor }) => {
    if (seen.has(name)) {
      throw new OptionError(`There are two gradients for "${name}"; it would take two steps. Give one.`, {
        option: 'gradients',
        value: name,
        accepted: 'every name once',
      });
    }
    seen.add(name);
    const variable = variables.get(name);
    if (!variable) {
      throw new OptionError(
        `There is a gradient for "${name}", which is not one of the optimizer's variables.`,
        {
          option: 'gradients',
          value: name,
          accepted: [...variables.keys()].join(', '),
        },
      );
    }
    if (!tensor) return [];
    assertShape(name, tensor, variable.shape, `[${variable.shape.join(', ')}]`);
    if (tensor.dtype !== 'float32') {
      throw new OptionError(`The gradient for "${name}" is ${tensor.dtype}; expected float32.`, {
        option: 'gradients',
        value: tensor.dtype,
        accepted: 'float32',
      });
    }
    return [{ variable, gradient: tensor, learningRate: learningRateOf(name, rate) }];
  });
}

/** With a factor of 1 the learning rate itself, bit for bit. */
function learningRateOf(
  name: string,
  { learningRate, learningRateFactorOf }: Pick<Optimizer, 'learningRate' | 'learningRateFactorOf'>,
): number {
  const factor = learningRateFactorOf(name);
  if (factor >= 0 && factor < Infinity) return learningRate * factor;
  throw new OptionError(
    `\`learningRateFactorOf\` gives ${factor} for "${name}"; it must be a finite number of at least 0. To leave a variable as it is, make its gradient \`null\`.`,
    { option: 'learningRateFactorOf', value: factor, accepted: 'a finite number of at least 0' },
  );
}

/** A state of several variables: `<variable>/<part>` → tensor. */
export const joinState = (
  states: Iterable<readonly [string, Readonly<tf.NamedTensorMap>]>,
): tf.NamedTensorMap =>
  Object.fromEntries(
    [...states].flatMap(([name, parts]) =>
      Object.entries(parts).map(([part, tensor]) => [`${name}/${part}`, tensor]),
    ),
  );

/**
 * The parts of a saved state by variable. A variable has all parts or none.
 *
 * @param shapesOf Names of the parts that the optimizer keeps for a variable, with their shapes.
 */
export function splitState<Part extends string>(
  state: Readonly<tf.NamedTensorMap>,
  variables: Variables,
  shapesOf: (variable: tf.Variable) => { readonly [part in Part]?: readonly number[] },
): Map<tf.Variable, Record<Part, tf.Tensor>> {
  const split = new Map<tf.Variable, Record<Part, tf.Tensor>>();
  const known = new Set<string>();
  for (const variable of variables.values()) {
    const shapes = Object.entries(shapesOf(variable)) as [Part, readonly number[]][];
    const keyOf = (part: Part): string => `${variable.name}/${part}`;
    for (const [part] of shapes) known.add(keyOf(part));
    const present = shapes.filter(([part]) => keyOf(part) in state);
    if (present.length === 0) continue;
    const parts = shapes.map(([part, shape]) => {
      const tensor = state[keyOf(part)];
      if (!tensor) {
        const key = keyOf((present[0] as [Part, unknown])[0]);
        throw stateError(`The saved state has "${key}" but not "${keyOf(part)}".`, keyOf(part), known);
      }
      assertShape(keyOf(part), tensor, shape, `[${shape.join(', ')}]`);
      return [part, tensor] as const;
    });
    split.set(variable, Object.fromEntries(parts) as Record<Part, tf.Tensor>);
  }
  const unknown = Object.keys(state).find((key) => !known.has(key));
  if (unknown !== undefined) {
    const example = [...known][0];
    throw stateError(
      `The saved state has "${unknown}", but this optimizer keeps ${example ? `${known.size} tensors, such as "${example}"` : 'none'}. Use the state of the same model and of an optimizer of the same kind.`,
      unknown,
      known,
    );
  }
  return split;
}

const stateError = (message: string, value: string, known: ReadonlySet<string>): OptionError =>
  new OptionError(message, { option: 'state', value, accepted: [...known].join(', ') });
