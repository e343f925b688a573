// The scope lives in the process, not in this module: a model may have been accelerated by another copy of it.
const SCOPE = Symbol.for('@g2d/plain-kernels');
const shared = globalThis as { [SCOPE]?: true | undefined };

/**
 * Runs something on TensorFlow.js's own operations alone, whose gradients can be differentiated again.
 *
 * @param body Not asynchronous: the scope ends when it returns.
 */
export function withPlainKernels<T>(body: () => T): T {
  const outer = shared[SCOPE];
  shared[SCOPE] = true;
  try {
    return body();
  } finally {
    shared[SCOPE] = outer;
  }
}

/** Whether operations of ours have to stay away: inside of `hessianProduct`. */
export const usesPlainKernels = (): boolean => shared[SCOPE] === true;
