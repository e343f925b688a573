import { describe, expect, it } from 'vitest';
import { parseCsv } from './csv.js';

describe('parseCsv', () => {
  it('reads records keyed by the first line', () => {
    expect(parseCsv('a,b\n1,2\n3,4\n')).toEqual([
      { a: '1', b: '2' },
      { a: '3', b: '4' },
    ]);
  });

  it('understands quotes, CRLF, a byte order mark, empty lines and a missing last newline', () => {
    const text = '\uFEFFname,title\r\n"Bobby ""B"", Beck","two\nlines"\r\n\r\nx,';
    expect(parseCsv(text)).toEqual([
      { name: 'Bobby "B", Beck', title: 'two\nlines' },
      { name: 'x', title: '' },
    ]);
  });

  it('refuses a quote that does not end', () => {
    expect(() => parseCsv('a\n"b')).toThrow(/invalid CSV at character 2/);
  });
});
