import { formatList } from '@g2d/analysis/internal';
import type { RunResult } from './run-result.js';

/** Runs by the versions that they were trained with, the most frequent first. */
export function byVersions(
  results: readonly RunResult[],
): { readonly versions: string; readonly count: number }[] {
  const counts = new Map<string, number>();
  for (const { versions } of results) {
    const words = Object.entries(versions)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, version]) => `${name} ${version}`);
    const key = formatList(words);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts]
    .map(([versions, count]) => ({ versions, count }))
    .sort((a, b) => b.count - a.count || (a.versions < b.versions ? -1 : 1));
}

/** One sentence, if runs were trained with several versions. */
export function mixedVersions(results: readonly RunResult[]): string | undefined {
  const groups = byVersions(results);
  if (groups.length < 2) return undefined;
  const words = groups.map(
    ({ versions, count }) => `${count} ${count === 1 ? 'run' : 'runs'} with ${versions}`,
  );
  return `The runs were trained with different versions: ${words.join('; ')}`;
}
