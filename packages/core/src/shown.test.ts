import { describe, expect, it } from 'vitest';
import { shown } from './shown.js';

describe('shown', () => {
  it.each([
    ['a', '"a"'],
    [-0.5, '-0.5'],
    [NaN, 'NaN'],
    [-Infinity, '-Infinity'],
    [undefined, 'undefined'],
    [null, 'null'],
    [2n, '2n'],
    [Symbol('x'), 'Symbol(x)'],
    [() => 1, 'a function'],
    [[1, NaN, 3n, undefined, ['b']], '[1,NaN,3n,undefined,["b"]]'],
    [{ a: 1, 'b c': { d: null } }, '{"a":1,"b c":{"d":null}}'],
    [Object.assign(Object.create(null) as object, { a: 1 }), '{"a":1}'],
    [Float32Array.of(1), 'a Float32Array'],
    [new Map([[1, 2]]), 'a Map'],
    [
      new (class Tensor {
        a = 1;
      })(),
      'a Tensor',
    ],
    [new Date(NaN), 'Invalid Date'],
  ])('writes %o', (value, expected) => {
    expect(shown(value)).toBe(expected);
  });

  it('equals JSON where JSON has words', () => {
    const value = { list: [1, 'two', true, null, { three: [] }], 'a "quoted" key\n': {} };
    expect(shown(value)).toBe(JSON.stringify(value));
  });

  it('cuts what is long, deep or holds itself', () => {
    expect(shown('x'.repeat(1000))).toHaveLength(203);
    expect(shown(Array.from({ length: 1e6 }, () => 7))).toBe(`[${'7,'.repeat(20)}…]`);
    const circular: unknown[] = [];
    circular.push(circular, { circular });
    expect(shown(circular)).toMatch(/^\[\[\[\[\[…\],/);
    let deep: unknown = [];
    for (let i = 0; i < 1e5; i++) deep = [deep];
    expect(shown(deep)).toBe('[[[[[…]]]]]');
  });

  it('has no character that a terminal acts on', () => {
    expect(shown('a\u001b[2J\u202eb\u200b\ufeff\u0085')).toBe('"a\\u001b[2J\\u202eb\\u200b\\ufeff\\u0085"');
  });

  it('does not fail where the value does', () => {
    const bad = {
      get a(): never {
        throw new Error('no');
      },
      toJSON() {
        throw new Error('no');
      },
    };
    expect(shown(bad)).toBe('a value of type object');
    expect(
      shown(
        new Proxy(
          {},
          {
            getPrototypeOf: () => {
              throw new Error('no');
            },
          },
        ),
      ),
    ).toBe('a value of type object');
    expect(shown({ toString: null })).toBe('{"toString":null}');
  });
});
