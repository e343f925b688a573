const LONGEST_TEXT = 200;
const MOST_ENTRIES = 20;
const DEEPEST = 4;

// Control characters and those that turn the direction of a text or cannot be seen: a terminal would act on them.
const UNSEEN = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/**
 * A value for a message, as JSON where JSON has words for it; NaN, infinities, `undefined` and bigints as JavaScript writes
 * them. It cannot fail, whatever the value is: an object may hold itself, and what is long is cut.
 *
 * @example
 * shown(NaN); // NaN
 * shown([2n, 'a']); // [2n,"a"]
 */
export function shown(value: unknown): string {
  try {
    return written(value, 0);
  } catch {
    // A getter or a proxy may throw.
    return `a value of type ${typeof value}`;
  }
}

function written(value: unknown, depth: number): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  if (value instanceof Date) return String(value);
  const entries = entriesOf(value);
  if (entries === undefined) return `a ${value.constructor.name}`;
  const isList = Array.isArray(value);
  const [open, close] = isList ? '[]' : '{}';
  if (depth === DEEPEST) return `${open}…${close}`;
  const keys = Object.keys(entries);
  const parts = keys.slice(0, MOST_ENTRIES).map((key) => {
    const text = written(entries[key], depth + 1);
    return isList ? text : `${quoted(key)}:${text}`;
  });
  if (keys.length > MOST_ENTRIES) parts.push('…');
  return `${open}${parts.join()}${close}`;
}

/** What a list or an object holds; `undefined` for other classes, of which the name says more. */
function entriesOf(value: object): Readonly<Record<string, unknown>> | undefined {
  // So long a list has no keys that could be listed.
  if (Array.isArray(value)) return { ...value.slice(0, MOST_ENTRIES + 1) };
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  return isPlain ? (value as Readonly<Record<string, unknown>>) : undefined;
}

const quoted = (text: string): string =>
  JSON.stringify(text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text).replace(
    UNSEEN,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
