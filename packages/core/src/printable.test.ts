import { describe, expect, it } from 'vitest';
import { printable } from './printable.js';

const at = (code: number): string => String.fromCharCode(code);

describe('printable', () => {
  it('leaves letters of every script, signs and emoji, and the white space of a text', () => {
    const text = 'a b\n\tcsv\r\nvidéo 猫 عربي עברית 👩‍🔬 é ü – “”';
    expect(printable(text)).toBe(text);
  });

  it('writes every control character and every change of direction so that it is seen', () => {
    const controls = [...Array.from({ length: 32 }, (_, code) => code), 127, 0x80, 0x85, 0x9b, 0x9f];
    const turns = [
      0x61c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069,
    ];
    for (const code of [...controls, ...turns, 0x2028, 0x2029]) {
      const seen = `\\u${code.toString(16).padStart(4, '0')}`;
      expect(printable(`a${at(code)}b`, { line: true })).toBe(`a${seen}b`);
      expect(printable(at(code))).toBe([9, 10].includes(code) ? at(code) : seen);
    }
  });

  it('leaves JSON the same JSON', () => {
    const value = { [`a${at(0x202e)}`]: `${at(27)}[31m${at(0x9b)}\n` };
    expect(JSON.parse(printable(JSON.stringify(value)))).toEqual(value);
    expect(printable(JSON.stringify(value))).not.toMatch(/[\u202e\u009b]/);
  });
});
