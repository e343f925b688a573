import * as tf from '@tensorflow/tfjs-core';
import { FileFormatError, type Gradients, type Weight } from '@g2d/core';
import { difference, norm, projection } from '../numbers.js';
import type { Tree } from '../methods/method-case.js';
import { hashedTensor } from './case-tensors.js';
import type { HashedModel } from './missing-case.js';

/** How a tensor of a case becomes one of ours, and back. */
export interface Layout {
  toOurs(x: tf.Tensor): tf.Tensor;
  toCase(x: tf.Tensor): tf.Tensor;
}

/** As TensorFlow's programs have it: `[in, out]`. */
export const AS_WRITTEN: Layout = { toOurs: tf.clone, toCase: tf.clone };

/** As PyTorch's have it: matrices are `[out, in]`. */
export const TORCH: Layout = { toOurs: tf.transpose, toCase: tf.transpose };

/** PyTorch's convolution over whole rows, `[out, 1, height, width]`, which ours is over one axis: `[height, width, out]`. */
export const ROWS: Layout = {
  toOurs: (x) => tf.transpose(tf.squeeze(x, [1]), [1, 2, 0]),
  toCase: (x) => tf.transpose(x, [2, 0, 1]),
};

/** Where a tensor of a case is in a model of ours. */
export interface Place {
  readonly weight: Weight;
  readonly layout: Layout;
}

/** Values by the case's names of tensors. */
export type CaseValues = ReadonlyMap<string, Float32Array>;

/** The tensors of one network of a case, which our model holds. */
export class HeldTensors {
  readonly #places: ReadonlyMap<string, Place>;
  readonly #prefix: string;
  readonly #seed: number;

  /**
   * @param given Of the case; what our model holds beside it keeps its values.
   * @param placeOf Where a tensor of the case is.
   */
  constructor(
    { id, seed }: { readonly id: string; readonly seed: number },
    { prefix, tensors }: HashedModel,
    placeOf: (name: string) => Place | undefined,
    /** Tensors of ours that the case does not list. */
    others: readonly string[] = [],
  ) {
    this.#seed = seed;
    this.#prefix = prefix;
    const names = [...tensors.map(([name]) => name), ...others];
    this.#places = new Map(
      names.map((name) => {
        const place = placeOf(name);
        if (!place)
          throw new FileFormatError(id, `\`models.${prefix}\`: ${name} has no place in this model.`);
        return [name, place];
      }),
    );
  }

  /** Puts the hashed values into the model. */
  initialize({ tensors }: HashedModel): void {
    for (const [name, shape, offset, scale] of tensors) {
      const { weight, layout } = this.#places.get(name) as Place;
      const recipe = { seed: this.#seed, name: `${this.#prefix}/${name}` };
      tf.tidy(() => void weight.write(layout.toOurs(hashedTensor(recipe, { shape, offset, scale }))));
    }
  }

  /** The present values. */
  values(): CaseValues {
    return new Map(
      [...this.#places].map(([name, { weight, layout }]) => [name, read(layout, weight.read())]),
    );
  }

  /** Gradients, where there are some. */
  gradients(gradients: Gradients<string>): CaseValues {
    const byVariable = new Map(gradients.map(({ name, tensor }) => [name, tensor]));
    return new Map(
      [...this.#places].flatMap(([name, { weight, layout }]) => {
        const tensor = byVariable.get((weight.read() as tf.Variable).name);
        return tensor ? [[name, read(layout, tensor)] as const] : [];
      }),
    );
  }

  gradientTable(values: CaseValues): Tree {
    return table(['gradL2', 'gradProj'], values, (name, gradient) => [
      norm(gradient),
      this.#project(name, gradient),
    ]);
  }

  /** Lengths now, and lengths and projections of the changes since. */
  parameterTable(start: CaseValues): Tree {
    return table(['l2', 'deltaL2', 'deltaProj'], this.values(), (name, values) => {
      const change = difference(values, start.get(name) as Float32Array);
      return [norm(values), norm(change), this.#project(name, change)];
    });
  }

  /** Lengths and projections as they are now. */
  valueTable(): Tree {
    return table(['l2', 'proj'], this.values(), (name, values) => [
      norm(values),
      this.#project(name, values),
    ]);
  }

  #project(name: string, values: ArrayLike<number>): number {
    return projection(values, { seed: this.#seed, name: `${this.#prefix}/${name}` });
  }
}

function read(layout: Layout, tensor: tf.Tensor): Float32Array {
  const own = layout.toCase(tensor);
  const values = own.dataSync() as Float32Array;
  own.dispose();
  return values;
}

const table = (
  columns: readonly string[],
  values: CaseValues,
  row: (name: string, values: Float32Array) => readonly number[],
): Tree => ({
  columns,
  rows: Object.fromEntries([...values].map(([name, own]) => [name, row(name, own)])),
});

/** L2 norm of each network's gradients: those of `netA` begin with `netA.`. */
export const networkNorms = (values: CaseValues, networks: readonly string[]): Record<string, number> =>
  Object.fromEntries(
    networks.map((network) => [
      network,
      norm([...values].filter(([name]) => name.startsWith(`${network}.`)).map(([, own]) => norm(own))),
    ]),
  );
