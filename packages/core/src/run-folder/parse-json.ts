import { decodeText } from '../decode-text.js';
import { FileFormatError } from '../errors.js';
import { shown } from '../shown.js';

/** Where a JSON value stands, for errors. */
export interface FilePlace {
  readonly path: string;
  /** Where in the file, for example `'line 3: '`. Default: the whole file. */
  readonly at?: string;
}

/**
 * Parses JSON, with or without a byte order mark.
 *
 * @param text A text, or the bytes of a file: UTF-8, or UTF-16 with its mark.
 * @throws {FileFormatError} That names the file, the line and what is wrong there.
 */
export function parseJson(text: string | Uint8Array, { path, at = '' }: FilePlace): unknown {
  const json = typeof text === 'string' ? text.replace(/^\uFEFF/, '') : decodeText(text, path);
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new FileFormatError(path, `${at}not valid JSON: ${problemIn(json)}.`, { cause: error });
  }
}

/** What JSON is made of. A text has no control characters: they stand before the blank. */
const TOKEN =
  /[\t\n\r ]+|[[\]{},:]|"(?:[ !#-[\]-\u{10ffff}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)(?!\w)/uy;

/**
 * Where a text stops being JSON, and why. Engines do not agree on what they say, and not all tell the place.
 *
 * @returns For example `line 3, column 5: expected a key in double quotes, got "}" (a comma before it?)`.
 */
function problemIn(json: string): string {
  // What may follow: a value, or where a key, a colon or an end is due.
  let expected: 'value' | 'first value' | 'key' | 'first key' | 'colon' | 'end' = 'value';
  const open: string[] = [];
  let at = 0;
  const fail = (wanted: string, hint = ''): string => {
    const before = json.slice(0, at);
    const line = json.includes('\n') ? `line ${before.split('\n').length}, ` : '';
    const column = at - before.lastIndexOf('\n');
    const [word = ''] = /^(?:[\w$.+-]+|[^])?/u.exec(json.slice(at, at + 50)) ?? [];
    const came = word === '' ? 'the end of the text' : shown(word);
    return `${line}column ${column}: expected ${wanted}, got ${came}${hint}`;
  };
  const needs = () =>
    ({
      value: 'a value',
      'first value': 'a value or "]"',
      key: 'a key in double quotes',
      'first key': 'a key in double quotes or "}"',
      colon: '":"',
      end: open.length === 0 ? 'the end' : `"," or "${open.at(-1) === '{' ? '}' : ']'}"`,
    })[expected];
  while (at < json.length) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(json)?.[0];
    if (token === undefined) break;
    if (/^\s/.test(token)) {
      at += token.length;
      continue;
    }
    const inside = open.at(-1);
    if ('{['.includes(token) && expected.endsWith('value')) {
      open.push(token);
      expected = token === '{' ? 'first key' : 'first value';
    } else if (
      (token === '}' && inside === '{' && ['first key', 'end'].includes(expected)) ||
      (token === ']' && inside === '[' && ['first value', 'end'].includes(expected))
    ) {
      open.pop();
      expected = 'end';
    } else if (token === ',' && expected === 'end' && inside !== undefined) {
      expected = inside === '{' ? 'key' : 'value';
    } else if (token === ':' && expected === 'colon') {
      expected = 'value';
    } else if (token.startsWith('"') && expected.endsWith('key')) {
      expected = 'colon';
    } else if (!'{}[],:'.includes(token) && expected.endsWith('value')) {
      expected = 'end';
    } else {
      const isLast = '}]'.includes(token) && ['key', 'value'].includes(expected) && open.length > 0;
      return fail(needs(), isLast ? '; a comma stands in front of it' : '');
    }
    at += token.length;
  }
  const comment = /^\/[/*]|^#/.test(json.slice(at, at + 2)) ? '; JSON has no comments' : '';
  if (json[at] === '"' && expected.endsWith('key'))
    return fail('a key that ends with a double quote on its line');
  if (json[at] === '"' && expected.endsWith('value'))
    return fail('a text that ends with a double quote on its line');
  return fail(needs(), comment);
}
