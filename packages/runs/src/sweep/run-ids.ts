import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { RunConfig } from '../config-schema.js';
import { baseOf, type Combined } from './combinations.js';
import type { Sweep } from './read-sweep.js';

/** The folder of a run below the sweep's: that of its combination, and its method. */
export const idOf = (combined: Combined, { method }: RunConfig, sweep: Sweep): string =>
  [...pieces(combined, sweep), fileName(combined['method'] ?? method)].join('/');

/** The folders that a run lies in: one for each key of the grid but its method. */
export function pieces(combined: Combined, { grid, bases }: Sweep): string[] {
  const keys = Object.keys(grid).filter((key) => key !== 'method');
  const last = (key: string): string => key.split('.').at(-1) as string;
  return keys
    .filter((key) => Object.hasOwn(combined, key))
    .map((key) => {
      if (key === 'dataset') return baseOf(combined[key], bases).name;
      const isClear = keys.filter((other) => last(other) === last(key)).length === 1;
      return `${isClear ? last(key) : key}-${fileName(combined[key])}`;
    });
}

/** A value as a part of a file name, names joined by `+`; what makes none is told apart by a hash. */
export function fileName(value: unknown): string {
  const isNames = Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string');
  const text = isNames ? value.join('+') : typeof value === 'string' ? value : JSON.stringify(value);
  if (/^[\w+-][\w.,+-]{0,60}$/.test(text)) return text;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 8);
  const stem =
    typeof value === 'string'
      ? basename(value)
          .replaceAll(/[^\w+-]+/g, '-')
          .slice(0, 40)
      : '';
  return [stem, hash].filter(Boolean).join('-');
}
