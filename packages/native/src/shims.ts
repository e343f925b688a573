import { createRequire } from 'node:module';

/**
 * Gives back to `node:util` the two functions that tfjs-node calls. Node 23 removed them; Node 22 prints a warning when
 * they are called, so there they are replaced as well. They must be on the CommonJS object: the names that an ES module
 * imports are fixed before any code runs.
 *
 * @param util The object to repair; tests give their own.
 * @param version Node's version, such as `v24.1.0`.
 */
export function applyShims(
  util: Record<string, unknown> = createRequire(import.meta.url)('node:util') as Record<string, unknown>,
  version: string = process.version,
): void {
  const deprecated = Number(/^v(\d+)/.exec(version)?.[1]) >= 22;
  if (deprecated || typeof util['isNullOrUndefined'] !== 'function') {
    util['isNullOrUndefined'] = (value: unknown) => value === null || value === undefined;
  }
  if (deprecated || typeof util['isArray'] !== 'function') util['isArray'] = Array.isArray;
}
