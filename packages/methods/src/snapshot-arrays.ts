import type { NamedArray } from '@g2d/core';
import type { Snapshot } from '@g2d/trainer';

/** Snapshots as what a method's state is made of: plain values, and arrays by name. */
export interface PackedSnapshots {
  /** By epoch: the learning rate of every optimizer. */
  readonly learningRates: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly arrays: Readonly<Record<string, NamedArray>>;
}

/** Arrays are called `epoch-7/model/<name>` and `epoch-7/optimizer/<optimizer>/<name>`. */
export function packSnapshots(snapshots: ReadonlyMap<number, Snapshot>): PackedSnapshots {
  const arrays: Record<string, NamedArray> = {};
  const learningRates: Record<string, Record<string, number>> = {};
  for (const [epoch, { model, optimizers }] of snapshots) {
    const put = (prefix: string, from: Readonly<Record<string, NamedArray>>): void => {
      for (const [name, array] of Object.entries(from)) arrays[`epoch-${epoch}/${prefix}/${name}`] = array;
    };
    put('model', model);
    const rates: Record<string, number> = {};
    for (const [name, { learningRate, arrays: own }] of Object.entries(optimizers)) {
      rates[name] = learningRate;
      put(`optimizer/${name}`, own);
    }
    learningRates[epoch] = rates;
  }
  return { learningRates, arrays };
}

/** What `packSnapshots` was given. */
export function unpackSnapshots({ learningRates, arrays }: PackedSnapshots): Map<number, Snapshot> {
  const under = (prefix: string): Record<string, NamedArray> =>
    Object.fromEntries(
      Object.entries(arrays).flatMap(([name, array]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), array]] : [],
      ),
    );
  return new Map(
    Object.entries(learningRates).map(([epoch, rates]) => [
      Number(epoch),
      {
        model: under(`epoch-${epoch}/model/`),
        optimizers: Object.fromEntries(
          Object.entries(rates).map(([name, learningRate]) => [
            name,
            { learningRate, arrays: under(`epoch-${epoch}/optimizer/${name}/`) },
          ]),
        ),
      },
    ]),
  );
}
