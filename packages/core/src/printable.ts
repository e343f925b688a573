import { checkKeys } from './known-keys.js';

/** Characters that act on a terminal or turn the order of what stands around them, and are seen by nobody. */
const UNSEEN = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/** The white space that lays text out. */
const LAYOUT = /^(?:[\n\t]|\r(?=\n))/;

/**
 * Text for a terminal or a page, in which names and messages from files may stand: control characters and those that turn the direction
 * of text are written as JSON writes them, `\u001b`, so that they are seen and do nothing. JSON stays the same JSON.
 *
 * @param options `line`: of one line; a line end or tab is written so too.
 * @example
 * printable('a\u202eb'); // 'a\\u202eb'
 */
export function printable(text: string, options: { readonly line?: boolean } = {}): string {
  const { line = false } = checkKeys(options, { line: true }, 'printable');
  return text.replace(UNSEEN, (character, at: number) =>
    !line && LAYOUT.test(text.slice(at, at + 2))
      ? character
      : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
