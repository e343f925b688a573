import type { FileFormatError } from '@g2d/core';

/** UTF-8 of characters below 256 to one byte each. */
export function latin1Of(utf8: Uint8Array, damaged: () => FileFormatError): Uint8Array {
  let count = 0;
  for (let at = 0; at < utf8.length; at++) if (((utf8[at] as number) & 0xc0) !== 0x80) count++;
  const bytes = new Uint8Array(count);
  let to = 0;
  for (let at = 0; at < utf8.length; to++) {
    const first = utf8[at++] as number;
    if (first < 0x80) {
      bytes[to] = first;
      continue;
    }
    // 110000xx 10xxxxxx
    const second = utf8[at++] ?? 0;
    if ((first & 0xfc) !== 0xc0 || (second & 0xc0) !== 0x80) throw damaged();
    bytes[to] = ((first & 3) << 6) | (second & 0x3f);
  }
  return bytes;
}

/** Python's `repr` of a byte string: quotes, and escapes for everything that is no printable ASCII. */
export function unescapeString(literal: string, damaged: () => FileFormatError): string {
  const quote = literal[0];
  if ((quote !== "'" && quote !== '"') || literal.length < 2 || !literal.endsWith(quote)) throw damaged();
  return literal.slice(1, -1).replace(/\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|[^]|$)/g, (_, escape: string) => {
    if (escape.length === 3 && escape.startsWith('x'))
      return String.fromCharCode(parseInt(escape.slice(1), 16));
    if (/^[0-7]/.test(escape)) return String.fromCharCode(parseInt(escape, 8) & 255);
    const plain = ESCAPES[escape];
    if (plain === undefined) throw damaged();
    return plain;
  });
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\',
  "'": "'",
  '"': '"',
  n: '\n',
  r: '\r',
  t: '\t',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
};

/** Python's raw-unicode-escape: latin-1, and \u or \U for the rest. */
export function unescapeUnicode(text: string, damaged: () => FileFormatError): string {
  return text.replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (_, short?: string, long?: string) => {
    const code = parseInt(short ?? (long as string), 16);
    if (code > 0x10ffff) throw damaged();
    return String.fromCodePoint(code);
  });
}
