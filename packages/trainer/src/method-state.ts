import * as tf from '@tensorflow/tfjs-core';
import { OptionError, type NamedArray } from '@g2d/core';

/** What a method remembers, in a checkpoint: JSON, and the arrays by their place in it. */
export interface SavedState {
  readonly values?: unknown;
  readonly arrays?: Readonly<Record<string, NamedArray>>;
  /** Of a version that saved less: what is not here is as `init` makes it. */
  readonly partial?: true;
}

const ACCEPTED = 'plain data (no NaN), Float32Arrays and tensors';

/** Words of the saved form. */
const MARKS: readonly string[] = ['$array', '$tensor'];

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

/** A place in a state, as a JSON pointer without its first slash: keys may hold slashes. */
const within = (place: string, key: string | number): string => {
  const escaped = String(key).replaceAll('~', '~0').replaceAll('/', '~1');
  return place === '' ? escaped : `${place}/${escaped}`;
};

/** A copy of a state with its leaves changed. */
function mapState(value: unknown, leaf: (value: unknown, place: string) => unknown, place = ''): unknown {
  if (Array.isArray(value)) return value.map((inner, i) => mapState(inner, leaf, within(place, i)));
  if (!isRecord(value)) return leaf(value, place);
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) =>
      inner === undefined ? [] : [[key, mapState(inner, leaf, within(place, key))]],
    ),
  );
}

/** The tensors of one method's state, which outlive the hook that made them. */
export class KeptTensors {
  #kept = new Set<tf.Tensor>();

  /**
   * After every hook, inside of its tidy: keeps tensors that are new in the state, and frees those that are gone.
   *
   * @throws {OptionError} If the state holds something that a checkpoint cannot; the message names its place.
   */
  follow(state: unknown, method: string): void {
    const now = new Set<tf.Tensor>();
    mapState(state, (value, place) => {
      assertSaveable(value, place, method);
      if (value instanceof tf.Tensor) now.add(value);
      return value;
    });
    for (const tensor of now) if (!this.#kept.has(tensor)) tf.keep(tensor);
    for (const tensor of this.#kept) if (!now.has(tensor)) tensor.dispose();
    this.#kept = now;
  }

  has(tensor: tf.Tensor): boolean {
    return this.#kept.has(tensor);
  }

  get size(): number {
    return this.#kept.size;
  }

  dispose(): void {
    for (const tensor of this.#kept) tensor.dispose();
    this.#kept.clear();
  }
}

function assertSaveable(value: unknown, place: string, method: string): void {
  const refuse = (found: string): never => {
    throw new OptionError(
      `The state of the method "${method}" holds ${found} ${place === '' ? 'itself' : `at "${place}"`}, which a checkpoint cannot. It may hold ${ACCEPTED}.`,
      { option: place === '' ? 'state' : `state/${place}`, value, accepted: ACCEPTED },
    );
  };
  const key = place.slice(place.lastIndexOf('/') + 1);
  if (MARKS.includes(key)) refuse(`the key ${key}`);
  if (value instanceof tf.Variable) refuse('a variable (a tensor is enough: clone it)');
  if (value instanceof tf.Tensor) {
    if (value.isDisposed) refuse('a tensor that is freed already (the batch belongs to the loop: clone it)');
    return;
  }
  if (typeof value === 'number' && !Number.isFinite(value)) refuse(String(value));
  if (value === undefined || value === null || value instanceof Float32Array) return;
  if (['string', 'boolean', 'number'].includes(typeof value)) return;
  refuse(typeof value === 'object' ? `a ${value.constructor.name}` : `a ${typeof value}`);
}

/** A state as a checkpoint holds it. Copies. */
export function saveState(state: unknown): SavedState {
  const arrays = new Map<string, NamedArray>();
  const values = mapState(state, (value, place) => {
    if (value instanceof tf.Tensor) {
      arrays.set(place, { shape: value.shape, values: Float32Array.from(value.dataSync()) });
      return { $tensor: place, dtype: value.dtype };
    }
    if (!(value instanceof Float32Array)) return value;
    arrays.set(place, { shape: [value.length], values: value.slice() });
    return { $array: place };
  });
  // `fromEntries` defines properties, so that a place called `__proto__` is only a name.
  return { values, arrays: Object.fromEntries(arrays) };
}

/** A state from its saved form, with tensors of the caller's scope. */
export function loadState({ values, arrays = {} }: SavedState): unknown {
  const restore = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(restore);
    if (!isRecord(value)) return value;
    const { $array, $tensor, dtype } = value;
    if (typeof $array === 'string') return Float32Array.from((arrays[$array] as NamedArray).values);
    if (typeof $tensor === 'string') {
      const { shape, values: numbers } = arrays[$tensor] as NamedArray;
      return tf.tensor(numbers, [...shape], dtype as tf.DataType);
    }
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, restore(inner)]));
  };
  return restore(values);
}
