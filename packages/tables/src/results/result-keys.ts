import { createHash } from 'node:crypto';
import { runKey, type PlannedRun } from '@g2d/runs';

/**
 * By what the runs of a plan are known on any machine: their settings, and those of their teachers.
 *
 * @param runs What a run needs comes before it.
 * @returns By id, 64 hexadecimal digits.
 */
export function resultKeys(runs: readonly PlannedRun[]): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  for (const { id, config, needs } of runs) {
    const own = runKey(config);
    const teachers = needs.map((need) => keys.get(need) as string).sort();
    keys.set(id, teachers.length === 0 ? own : hashOf([own, ...teachers]));
  }
  return keys;
}

const hashOf = (parts: readonly string[]): string =>
  createHash('sha256').update(parts.join('\n')).digest('hex');
