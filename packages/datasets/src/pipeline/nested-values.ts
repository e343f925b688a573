import { hasFreeLength, unitLength, written, type SampleShape } from './shapes.js';

/** Numbers of one input: flat in C order, or nested, `[[1, 2], [3, 4]]`. Bigints, as tables of Python's int64 hold, are numbers. */
export type Values = ArrayLike<number> | ArrayLike<bigint> | readonly NestedValues[];
type NestedValues = ArrayLike<number> | ArrayLike<bigint> | readonly NestedValues[];

const isNested = (values: Values | NestedValues): values is readonly NestedValues[] =>
  typeof values[0] === 'object';

/** Shape as the arrays are nested; `undefined` if they are ragged. */
function nestedShape(values: Values | NestedValues): readonly number[] | undefined {
  if (!isNested(values)) return [values.length];
  const [first, ...others] = values.map((part) => (typeof part === 'object' ? nestedShape(part) : undefined));
  return first && others.every((other) => other?.join() === first.join())
    ? [values.length, ...first]
    : undefined;
}

/** The shape of each modality that the samples have, in the order of their first appearance. */
export function inferShapes<M extends string>(
  samples: readonly { readonly id: string; readonly inputs: Readonly<Partial<Record<M, Values | null>>> }[],
  refuse: (problem: string) => Error,
): Record<M, SampleShape> {
  const shapes = new Map<string, SampleShape>();
  for (const { id, inputs } of samples) {
    for (const [modality, values] of Object.entries<Values | null | undefined>(inputs)) {
      if (values === null || values === undefined) continue;
      const shape = nestedShape(values);
      if (shape === undefined) throw refuse(`sample "${id}", ${modality}: rows of different length.`);
      const known = shapes.get(modality) ?? shape;
      if (known.length !== shape.length || known.slice(1).join() !== shape.slice(1).join()) {
        throw refuse(
          `sample "${id}", ${modality}: the shape is ${written(shape)}, others have ${written(known)}.`,
        );
      }
      if (known[0] !== shape[0] && shape.length === 1) {
        throw refuse(
          `sample "${id}", ${modality}: ${shape[0]} numbers, others have ${known[0]}. For sequences nest them by step, or give \`shapes\`.`,
        );
      }
      shapes.set(modality, known[0] === shape[0] ? known : [null, ...shape.slice(1)]);
    }
  }
  return Object.fromEntries(shapes) as Record<M, SampleShape>;
}

/** Writes nested values one after another; the next free position. */
function fill(to: Float32Array, at: number, values: Values | NestedValues): number {
  if (isNested(values)) return values.reduce((next, part) => fill(to, next, part), at);
  // One by one where there are bigints: a typed array takes numbers alone.
  if (typeof values[0] !== 'bigint') to.set(values as ArrayLike<number>, at);
  else for (let i = 0; i < values.length; i++) to[at + i] = Number(values[i]);
  return at + values.length;
}

/** One input as float32, checked. */
export function flatInput(
  values: Values,
  shape: SampleShape,
  nonFinite: 'refuse' | 'zero',
  fail: (problem: string) => Error,
): Float32Array {
  const nested = isNested(values);
  const found = nestedShape(values);
  if (found === undefined) throw fail('rows of different length.');
  const count = found.reduce((product, axis) => product * axis, 1);
  const unit = unitLength(shape);
  const fits = nested
    ? found.length === shape.length &&
      found.every((size, axis) => size === (shape[axis] ?? size)) &&
      count > 0
    : hasFreeLength(shape)
      ? count > 0 && count % unit === 0
      : count === unit;
  if (!fits) {
    throw fail(`${nested ? `the shape ${written(found)}` : `${count} numbers`}; expected ${written(shape)}.`);
  }
  const flat = new Float32Array(count);
  fill(flat, 0, values);
  for (let i = 0; i < flat.length; i++) {
    if (Number.isFinite(flat[i])) continue;
    if (nonFinite === 'refuse') {
      throw fail(`${flat[i]} at position ${i}. \`nonFinite: 'zero'\` makes such numbers 0.`);
    }
    flat[i] = 0;
  }
  return flat;
}
