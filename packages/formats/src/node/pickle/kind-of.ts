import { NdArray } from './nd-array.js';

/** What an unpickled value is, for a message. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (value instanceof Map) return 'a dictionary';
  if (value instanceof Set) return 'a set';
  if (value instanceof NdArray) return `an array of shape [${value.shape.join(', ')}]`;
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return 'a list';
  if (typeof value === 'object') return 're' in value ? 'a complex number' : 'an object';
  return typeof value === 'string' ? 'text' : `a ${typeof value}`;
}

const LONGEST_TEXT = 60;

/**
 * A text or a number as it is, of anything else what it is: an unpickled list can hold itself, or be so deep or so long that
 * writing it out fails.
 */
export function shown(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT)}…` : value);
  }
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : kindOf(value);
}
