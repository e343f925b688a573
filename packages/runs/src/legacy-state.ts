import type { Method } from '@g2d/core';
import type { TrainingState } from '@g2d/trainer';

/** What a checkpoint has of the state of each method, by its name. */
type Saved = TrainingState['methods'];

/** Parts of states that earlier versions saved, to be put into what `init` gives. */
export type PartialStates = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** States as the loop takes them today. */
interface CurrentStates {
  readonly methods: Saved;
  /** Of methods whose states were not saved as a whole: they are initialized again, and these parts put in. */
  readonly parts: PartialStates;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * States of methods from a checkpoint of any version. Earlier ones have arrays under names of their own, and of SMP nothing but what
 * `@g2d/smp` remembers.
 */
export function currentStates(saved: Saved): CurrentStates {
  const methods: Record<string, Saved[string]> = {};
  const parts: Record<string, Readonly<Record<string, unknown>>> = {};
  for (const [name, state] of Object.entries(saved)) {
    const { values } = state;
    if (isRecord(values) && name === 'smp' && 'version' in values) parts[name] = { smp: values };
    else methods[name] = currentState(name, state);
  }
  return { methods, parts };
}

function currentState(name: string, state: Saved[string]): Saved[string] {
  const { values, arrays = {} } = state;
  if (!isRecord(values)) return state;
  if (name === 'mla' && !('projection' in values)) {
    const projection = arrays['projection'] ? { $tensor: 'projection', dtype: 'float32' } : null;
    return { values: { projection, stepped: values['stepped'] }, arrays };
  }
  if (name === 'mses' && 'learningRates' in values) {
    const rates = values['learningRates'] as Readonly<Record<string, Readonly<Record<string, number>>>>;
    const best = mapEntries(rates, (optimizers, epoch) => ({
      model: under(arrays, `epoch-${epoch}/model/`),
      optimizers: mapEntries(optimizers, (learningRate, optimizer) => ({
        learningRate,
        arrays: under(arrays, `epoch-${epoch}/optimizer/${optimizer}/`),
      })),
    }));
    return { values: { watches: values['watches'], best }, arrays };
  }
  return state;
}

/** Arrays whose names begin alike, as references to them. */
const under = (arrays: NonNullable<Saved[string]['arrays']>, prefix: string): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(arrays).flatMap(([name, { shape }]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), { shape, values: { $array: name } }]] : [],
    ),
  );

const mapEntries = <T, U>(
  record: Readonly<Record<string, T>>,
  value: (of: T, key: string) => U,
): Record<string, U> => Object.fromEntries(Object.entries(record).map(([key, of]) => [key, value(of, key)]));

/** Methods whose `init` goes on from parts of a state. */
export const continued = <M extends string>(
  methods: readonly Method<M>[],
  parts: PartialStates = {},
): readonly Method<M>[] =>
  methods.map((method) => {
    const part = parts[method.name];
    if (!part) return method;
    return {
      ...method,
      init: async (training) => ({ ...((await method.init?.(training)) as object), ...part }),
    };
  });
