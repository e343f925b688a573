import { formatList } from '../format.js';
import type { RunConfig } from '../run.js';
import type { ComparisonRow } from './comparison.js';

/** Runs that were trained with other versions of the packages than others, and means that are over both. */
export function versionNotes(rows: readonly ComparisonRow[]): string[] {
  const all = rows.flatMap(({ label, runs }) =>
    runs.map(({ config }) => ({ label, versions: versionsOf(config) })),
  );
  // A folder of an early version does not say; nothing is known to differ then.
  const known = all.filter(({ versions }) => Object.keys(versions).length > 0);
  const names = [...new Set(known.flatMap(({ versions }) => Object.keys(versions)))];
  const differing = names.filter((name) => new Set(known.map(({ versions }) => versions[name])).size > 1);
  if (differing.length === 0) return [];
  const groups = new Map<string, string[]>();
  for (const { label, versions } of known) {
    const key = differing.map((name) => `${name} ${versions[name] ?? 'none'}`).join(', ');
    groups.set(key, [...(groups.get(key) ?? []), label]);
  }
  const sides = [...groups].map(
    ([words, labels]) =>
      `${labels.length} run${labels.length === 1 ? '' : 's'} with ${words} (${formatList([...new Set(labels)])})`,
  );
  const isMixed = (label: string): boolean =>
    [...groups.values()].filter((labels) => labels.includes(label)).length > 1;
  const mixed = rows.map(({ label }) => label).filter(isMixed);
  const means = mixed.length > 0 ? ` Means over several of them: ${formatList(mixed)}.` : '';
  return [`Runs were trained with different versions: ${sides.join('; ')}.${means}`];
}

/** Earlier versions recorded them beside the environment. */
function versionsOf({ environment, ...config }: RunConfig): Readonly<Record<string, string>> {
  const versions = environment?.versions ?? config['versions'];
  return typeof versions === 'object' && versions !== null
    ? Object.fromEntries(Object.entries(versions).map(([name, version]) => [name, String(version)]))
    : {};
}
