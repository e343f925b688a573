// Several processes in one: each is run again and again from the beginning, a sum further every time, until all are through. What they do must be
// the same every time.
import type { AllReduce } from '@g2d/core';

type Values = Float32Array | Float64Array;

/** Ends a run at the first sum of which the others' parts are not known yet. */
class Unknown extends Error {
  constructor(readonly part: Values) {
    super('This sum is not known yet.');
  }
}

/** What each of some processes comes to: a value, or the error that it throws. */
export async function lockstep<T>(
  processes: number,
  body: (allReduce: AllReduce & { readonly rank: number }) => T | Promise<T>,
): Promise<({ readonly value: T } | { readonly error: unknown })[]> {
  const known: Values[] = [];
  for (;;) {
    const ends: ({ readonly value: T } | { readonly error: unknown } | Unknown)[] = [];
    for (let rank = 0; rank < processes; rank++) ends.push(await play(rank));
    const parts = ends.flatMap((end) => (end instanceof Unknown ? [end.part] : []));
    if (parts.length === 0) return ends as Exclude<(typeof ends)[number], Unknown>[];
    if (parts.length < processes || new Set(parts.map((part) => part.length)).size > 1)
      throw new Error(`The processes are not at the same sum, the one after ${known.length} others.`);
    const [first, ...others] = parts as [Values, ...Values[]];
    known.push(first.map((value, i) => others.reduce((sum, part) => sum + (part[i] as number), value)));
  }

  async function play(rank: number): Promise<{ readonly value: T } | { readonly error: unknown } | Unknown> {
    let at = 0;
    const sum = (values: Values): void => {
      const total = known[at++];
      if (!total) throw new Unknown(values.slice());
      values.set(total);
    };
    try {
      return { value: await body({ processes, rank, sum }) };
    } catch (error) {
      return error instanceof Unknown ? error : { error };
    }
  }
}

/** The values, where no process throws. */
export async function inLockstep<T>(...given: Parameters<typeof lockstep<T>>): Promise<T[]> {
  const ends = await lockstep<T>(...given);
  return ends.map((end) => {
    if ('error' in end) throw end.error;
    return end.value;
  });
}
