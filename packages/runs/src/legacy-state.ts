import type { TrainingState } from '@g2d/trainer';

/** What a checkpoint has of the state of each method, by its name. */
type States = TrainingState['methods'];
type Arrays = NonNullable<States[string]['arrays']>;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The state of a method from a checkpoint of any version. Earlier ones have arrays under names of their own, and of SMP nothing but what
 * `@g2d/smp` remembers.
 */
export function currentState(method: string, state: States[string]): States[string] {
  const { values, arrays = {} } = state;
  if (!isRecord(values)) return state;
  if (method === 'smp' && 'version' in values) return { values: { smp: values }, partial: true };
  if (method === 'mla' && !('projection' in values)) {
    const projection = arrays['projection'] ? { $tensor: 'projection', dtype: 'float32' } : null;
    return { values: { projection, stepped: values['stepped'] }, arrays };
  }
  if (method === 'mses' && 'learningRates' in values) {
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
const under = (arrays: Arrays, prefix: string): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(arrays).flatMap(([name, { shape }]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), { shape, values: { $array: name } }]] : [],
    ),
  );

const mapEntries = <T, U>(
  record: Readonly<Record<string, T>>,
  value: (of: T, key: string) => U,
): Record<string, U> => Object.fromEntries(Object.entries(record).map(([key, of]) => [key, value(of, key)]));
