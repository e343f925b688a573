import { OptionError } from '@g2d/core';
import { deriveSeed } from '@g2d/tensor-ops';

/** Which part of a batch the values of a pass are, of so many equal ones: masks are those of the whole batch. */
export interface DropoutShare {
  readonly index: number;
  readonly of: number;
}

const WHOLE: DropoutShare = { index: 0, of: 1 };

interface Scope {
  readonly seed: number;
  readonly share: DropoutShare;
  /** How often each layer has run. */
  readonly uses: Map<string, number>;
}

// The scope lives in the process, not in this module: a model may have been accelerated by another copy of it.
const SCOPE = Symbol.for('@g2d/dropout-scope');
const shared = globalThis as { [SCOPE]?: Scope | undefined };

/**
 * Runs passes of accelerated models whose dropout is drawn from seeded streams: the same masks for the same seed, in every
 * process and on every backend.
 *
 * A mask depends on the seed, the layer's name and how often the layer has run within this call: different layers, and
 * further passes, get different masks. Nothing has to be saved to resume: give a seed made from where the run is. Layers
 * without a name of their own are numbered by the process; name those whose masks shall be repeatable. A scope within a
 * scope is on its own.
 *
 * Layers called `Dropout` and dropout in attention take part, in training mode. Models that were not accelerated, models
 * with Keras masks, `fit`, layers with a `seed` or a `noiseShape` or under `TimeDistributed`, and other noise
 * (`SpatialDropout1D`, `GaussianNoise`, recurrent dropout) draw as they always do; so does everything outside of such a call.
 *
 * @param seed An integer.
 * @param body Not asynchronous: the scope ends when it returns.
 * @param share Where processes share a batch: the rows of this one, along the first axis. Default: all of it.
 * @returns What `body` returns.
 * @throws {OptionError} If the seed is no integer, or `body` gives a promise.
 * @example
 * const seed = deriveSeed(runSeed, `dropout/epoch-${epoch}/step-${step}`);
 * const logits = withDropoutSeed(seed, () => model.apply(x, { training: true }));
 */
export function withDropoutSeed<T>(seed: number, body: () => T, share: DropoutShare = WHOLE): T {
  // Refuses what is no seed, whether a layer uses it or not.
  deriveSeed(seed, '');
  const outer = shared[SCOPE];
  shared[SCOPE] = { seed, share, uses: new Map() };
  try {
    const result = body();
    if (typeof (result as { then?: unknown } | undefined)?.then !== 'function') return result;
  } finally {
    shared[SCOPE] = outer;
  }
  throw new OptionError(
    'The function that runs under a dropout seed gave a promise; what it does later has no seed. Give one that is not asynchronous.',
    { option: 'body', value: 'a promise', accepted: 'a function that is not asynchronous' },
  );
}

/** A mask that a layer draws itself: from which seed, and of which part of a batch. */
export interface DropoutDraw extends DropoutShare {
  readonly seed: number;
}

/** A layer's next mask, for layers that draw one themselves; `undefined` outside of `withDropoutSeed`. */
export function nextDropout(layer: string): DropoutDraw | undefined {
  const scope = shared[SCOPE];
  if (!scope) return undefined;
  const use = scope.uses.get(layer) ?? 0;
  scope.uses.set(layer, use + 1);
  return { seed: deriveSeed(scope.seed, `${use}/${layer}`), ...scope.share };
}
