import type { TrainingState } from '@g2d/trainer';
import type { RunConfig } from './config-schema.js';

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
    return { values: { projection }, arrays };
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
    // With one optimizer, whose rate no schedule had changed since.
    const followed = mapEntries(rates, (optimizers) => Object.values(optimizers)[0] ?? null);
    return { values: { watches: values['watches'], best, followed, learningRate: null }, arrays };
  }
  if (method === 'mses' && !('followed' in values)) {
    const best = values['best'] as Readonly<Record<string, { readonly optimizers: Rates }>>;
    const followed = mapEntries(best, ({ optimizers }) => Object.values(optimizers)[0]?.learningRate ?? null);
    return { values: { ...values, followed, learningRate: null }, arrays };
  }
  if (method === 'mla' && 'stepped' in values) {
    const { stepped: _, ...current } = values;
    return { values: current, arrays };
  }
  return state;
}

type Rates = Readonly<Record<string, { readonly learningRate: number }>>;

/**
 * What a run of an earlier version did otherwise than it would today, so that its numbers are those of neither.
 *
 * @param state Of its checkpoint, as it was saved.
 */
export function legacyRemarks(state: unknown, { methodOptions }: RunConfig): readonly string[] {
  const { mla } = (state as { readonly methods: Readonly<Record<string, unknown>> }).methods;
  const zero = methodOptions['mla']?.['otherEncoders'] === 'zero';
  return zero && isRecord(mla) && 'stepped' in mla
    ? [
        'The run began with an earlier version, whose MLA with "otherEncoders": "zero" let momentum and weight decay move encoders also before their first step of a batch. It goes on as the official code does; for numbers of one kind begin it anew.',
      ]
    : [];
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
