import { describe, expect, it } from 'vitest';
import { FileFormatError } from '../errors.js';
import { parseJson } from './parse-json.js';

const place = { path: 'a.json' };
const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');

/** `read`, or the message of what was thrown. */
function outcome(read: () => unknown): string {
  try {
    read();
    return 'read';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('parseJson', () => {
  it.each([
    ['a text', '{"a":1}'],
    ['a text with a byte order mark', '\uFEFF{"a":1}'],
    ['bytes', Buffer.from('{"a":1}')],
    ['bytes with a byte order mark', Buffer.from('\uFEFF{"a":1}')],
    ['UTF-16, as Windows PowerShell writes it', utf16('\uFEFF{"a":1}')],
    ['big-endian UTF-16', utf16('\uFEFF{"a":1}').swap16()],
  ])('reads %s', (_, text) => {
    expect(parseJson(text, place)).toEqual({ a: 1 });
  });

  it.each([
    [
      '{\r\n  "a": 1,\r\n}',
      'line 3, column 1: expected a key in double quotes, got "}"; a comma stands in front of it',
    ],
    ['[\n1,\n]', 'line 3, column 1: expected a value, got "]"; a comma stands in front of it'],
    ['{\n  "a": 1 // one\n}', 'line 2, column 10: expected "," or "}", got "/"; JSON has no comments'],
    ['{\n  "a": 1\n  "b": 2\n}', 'line 3, column 3: expected "," or "}", got "\\""'],
    ["{'a': 1}", 'column 2: expected a key in double quotes or "}", got "\'"'],
    ['{"a" 1}', 'column 6: expected ":", got "1"'],
    ['{"a": NaN}', 'column 7: expected a value, got "NaN"'],
    ['{"a": 01}', 'column 7: expected a value, got "01"'],
    ['{"a": .5}', 'column 7: expected a value, got ".5"'],
    [
      '{"a": "b\nc"}',
      'line 1, column 7: expected a text that ends with a double quote on its line, got "\\""',
    ],
    ['{"a": "C:\\data"}', 'column 7: expected a text that'],
    ['{"a": [1, 2', 'column 12: expected "," or "]", got the end of the text'],
    ['', 'column 1: expected a value, got the end of the text'],
    ['{} {}', 'column 4: expected the end, got "{"'],
    ['\u200b{}', 'column 1: expected a value, got "\\u200b"'],
  ])('says where %j is wrong', (text, problem) => {
    expect(() => parseJson(text, place)).toThrow(FileFormatError);
    expect(() => parseJson(text, place)).toThrow(`a.json: not valid JSON: ${problem}`);
  });

  it('refuses what is no text', () => {
    expect(() => parseJson(Buffer.from([0x22, 0xff, 0x22]), place)).toThrow(/a\.json: is no UTF-8 text/);
  });

  it('always finds a place where the engine finds a fault', () => {
    const good = '{"a":[1,-2.5e3,"x\\u00e9\\n",true],"b":{"c":null}}';
    for (let at = 0; at < good.length; at++) {
      for (const text of [
        good.slice(0, at),
        good.slice(0, at) + '}' + good.slice(at),
        good.slice(0, at) + good.slice(at + 1),
      ]) {
        expect(
          outcome(() => parseJson(text, place)),
          text,
        ).toMatch(
          outcome(() => JSON.parse(text)) === 'read'
            ? /^read$/
            : /: (line \d+, )?column \d+: expected .*, got/,
        );
      }
    }
  });
});
