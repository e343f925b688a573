import { describe, expect, it } from 'vitest';
import { float32Values } from './float32-values.js';
import { decodeSafetensors, encodeSafetensors, listSafetensors } from './safetensors.js';

const arrays = {
  'head/audio/kernel': { shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) },
  bias: { shape: [], values: Float32Array.of(-0.5) },
};

/** A file with any header over `data`. */
function fileOf(header: unknown, data: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + data.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  file.set(data, 8 + text.length);
  return file;
}

describe('encodeSafetensors', () => {
  it('gives back what was encoded', () => {
    expect(decodeSafetensors(encodeSafetensors(arrays, { epoch: '3' }), 'x')).toEqual(arrays);
  });

  it('has the layout of the format: length, JSON padded to eight bytes, data in the header’s order', () => {
    const file = encodeSafetensors(arrays);
    const length = Number(new DataView(file.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    expect(JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)))).toEqual({
      bias: { dtype: 'F32', shape: [], data_offsets: [0, 4] },
      'head/audio/kernel': { dtype: 'F32', shape: [2, 3], data_offsets: [4, 28] },
    });
    expect(file.length).toBe(8 + length + 28);
    const data = new DataView(file.buffer, 8 + length);
    expect(Array.from({ length: 7 }, (_, i) => data.getFloat32(4 * i, true))).toEqual([
      -0.5, 1, 2, 3, 4, 5, 6,
    ]);
  });

  it('takes values that are part of a larger buffer', () => {
    const values = Float32Array.of(9, 1, 2, 9).subarray(1, 3);
    expect(decodeSafetensors(encodeSafetensors({ x: { shape: [2], values } }), 'x')['x']?.values).toEqual(
      Float32Array.of(1, 2),
    );
  });

  it('refuses a shape that is not that of the values', () => {
    expect(() => encodeSafetensors({ x: { shape: [2], values: Float32Array.of(1) } })).toThrow(
      /`x` has shape \[2\]; expected 1 elements/,
    );
  });

  it('takes any name, also those that mean something to JavaScript', () => {
    const odd = Object.fromEntries([['__proto__', arrays.bias]]);
    expect(Object.entries(decodeSafetensors(encodeSafetensors(odd), 'x'))).toEqual([
      ['__proto__', arrays.bias],
    ]);
  });

  it('encodes and decodes a 45 MB model', () => {
    const values = new Float32Array(11_200_000).fill(0.25);
    const decoded = decodeSafetensors(encodeSafetensors({ x: { shape: [values.length], values } }), 'x');
    expect(decoded['x']?.values.at(-1)).toBe(0.25);
  });
});

describe('decodeSafetensors', () => {
  it('reads from any alignment', () => {
    const file = encodeSafetensors(arrays);
    for (const shift of [1, 2, 3]) {
      const shifted = new Uint8Array(file.length + shift).subarray(shift);
      shifted.set(file);
      expect(decodeSafetensors(shifted, 'x')).toEqual(arrays);
    }
  });

  it('reads files with more than one type of elements', () => {
    const data = new Uint8Array(18);
    const view = new DataView(data.buffer);
    view.setFloat64(0, 0.1, true);
    view.setBigInt64(8, -7n, true);
    view.setUint16(16, 0x3c00, true);
    const file = fileOf(
      {
        __metadata__: { format: 'pt' },
        wide: { dtype: 'F64', shape: [1], data_offsets: [0, 8] },
        count: { dtype: 'I64', shape: [], data_offsets: [8, 16] },
        half: { dtype: 'F16', shape: [1, 1], data_offsets: [16, 18] },
        none: { dtype: 'F32', shape: [0, 3], data_offsets: [18, 18] },
      },
      data,
    );
    expect(decodeSafetensors(file, 'x')).toEqual({
      wide: { shape: [1], values: Float32Array.of(0.1) },
      count: { shape: [], values: Float32Array.of(-7) },
      half: { shape: [1, 1], values: Float32Array.of(1) },
      none: { shape: [0, 3], values: new Float32Array(0) },
    });
  });

  it('says of a truncated file that it is one, wherever it ends', () => {
    const file = encodeSafetensors(arrays);
    for (let length = 0; length < file.length; length++) {
      expect(() => decodeSafetensors(file.subarray(0, length), 'a.safetensors'), `${length} bytes`).toThrow(
        /^a\.safetensors: .*truncated/,
      );
    }
  });

  const one = { dtype: 'F32', shape: [1], data_offsets: [0, 4] };
  it.each([
    ['text that is no JSON', 'not json', 0, /no JSON object/],
    ['a header that is a list', [], 0, /no JSON object/],
    [
      'a type of four bits',
      { x: { ...one, dtype: 'F4' } },
      4,
      /"x" has elements of type "F4"; read are BOOL/,
    ],
    [
      'a type that is no text',
      { x: { ...one, dtype: [[[]]] } },
      4,
      /"x" has the type \[\[\[\]\]\]; expected a text/,
    ],
    [
      'lists in lists',
      [...Array(2000)].reduce((inner: unknown) => [inner], 1),
      0,
      /2000 brackets in 4001 bytes/,
    ],
    ['empty objects', { x: Array.from({ length: 2000 }, () => ({})) }, 0, /2002 brackets in .* no tensors/],
    ['a type that is a property of every object', { x: { ...one, dtype: 'toString' } }, 4, /type "toString"/],
    ['an entry that is no object', { x: 3 }, 4, /type undefined/],
    ['a negative size', { x: { ...one, shape: [-1] } }, 4, /"x" has no valid shape/],
    ['a size with a fraction', { x: { ...one, shape: [0.5, 2] } }, 4, /"x" has no valid shape/],
    ['three offsets', { x: { ...one, data_offsets: [0, 4, 4] } }, 4, /"x" has no valid shape/],
    ['fewer bytes than the shape', { x: { ...one, shape: [2] } }, 4, /has 4 bytes; F32 \[2\] takes 8/],
    ['a shape beyond 2^53', { x: { ...one, shape: [2 ** 52, 2 ** 52] } }, 4, /"x" has 4 bytes/],
    ['data outside of the file', { x: one }, 3, /"x" lie outside of the file/],
    ['tensors that overlap', { x: one, y: one }, 4, /"y" start at byte 0, expected 4/],
    ['a gap', { x: { ...one, data_offsets: [4, 8] } }, 8, /"x" start at byte 4, expected 0/],
    ['data that belong to no tensor', { x: one }, 8, /has 8 bytes of data; its tensors take 4/],
  ])('refuses %s', (_, header, bytes, message) => {
    expect(() => decodeSafetensors(fileOf(header, new Uint8Array(bytes)), 'a')).toThrow(message);
  });
});

describe('float32Values', () => {
  /** `values` written by `write`, which gets a view of `size` bytes each, in both byte orders. */
  const both = (
    type: Parameters<typeof float32Values>[1],
    size: number,
    length: number,
    write: (view: DataView, offset: number, index: number, littleEndian: boolean) => void,
  ): Float32Array[] =>
    [true, false].map((littleEndian) => {
      const bytes = new Uint8Array(size * length);
      const view = new DataView(bytes.buffer);
      for (let i = 0; i < length; i++) write(view, i * size, i, littleEndian);
      return float32Values(bytes, type, littleEndian);
    });

  it('converts integers of every width, in both byte orders', () => {
    const cases = [
      ['I16', 2, [-2, 300], (v: DataView, o: number, x: number, le: boolean) => v.setInt16(o, x, le)],
      ['U16', 2, [65535, 1], (v: DataView, o: number, x: number, le: boolean) => v.setUint16(o, x, le)],
      ['I32', 4, [-70000, 5], (v: DataView, o: number, x: number, le: boolean) => v.setInt32(o, x, le)],
      ['U32', 4, [2 ** 31, 5], (v: DataView, o: number, x: number, le: boolean) => v.setUint32(o, x, le)],
      [
        'I64',
        8,
        [-(2 ** 40), 5],
        (v: DataView, o: number, x: number, le: boolean) => v.setBigInt64(o, BigInt(x), le),
      ],
      [
        'U64',
        8,
        [2 ** 40, 5],
        (v: DataView, o: number, x: number, le: boolean) => v.setBigUint64(o, BigInt(x), le),
      ],
      ['F32', 4, [0.5, -3], (v: DataView, o: number, x: number, le: boolean) => v.setFloat32(o, x, le)],
      ['F64', 8, [0.5, -3], (v: DataView, o: number, x: number, le: boolean) => v.setFloat64(o, x, le)],
    ] as const;
    for (const [type, size, expected, set] of cases) {
      for (const values of both(type, size, 2, (view, offset, i, le) =>
        set(view, offset, expected[i] as number, le),
      )) {
        expect([...values], type).toEqual(expected);
      }
    }
    expect([...float32Values(Uint8Array.of(255, 1), 'I8')]).toEqual([-1, 1]);
    expect([...float32Values(Uint8Array.of(255, 1), 'U8')]).toEqual([255, 1]);
    expect([...float32Values(Uint8Array.of(0, 1, 2), 'BOOL')]).toEqual([0, 1, 1]);
  });

  it('widens every kind of float16 and bfloat16 exactly', () => {
    const halves = [
      [0x3c00, 1],
      [0xc000, -2],
      [0x7bff, 65504],
      [0x0001, 2 ** -24],
      [0x83ff, -1023 * 2 ** -24],
      [0x0400, 2 ** -14],
      [0x7c00, Infinity],
      [0xfc00, -Infinity],
      [0x7e00, NaN],
      [0x8000, -0],
      [0x3555, 0.333251953125],
    ] as const;
    const brains = [
      [0x3f80, 1],
      [0xc040, -3],
      [0x0001, 2 ** -133],
      [0x7f80, Infinity],
      [0xffc0, NaN],
      [0x8000, -0],
    ] as const;
    for (const [type, table] of [
      ['F16', halves],
      ['BF16', brains],
    ] as const) {
      for (const values of both(type, 2, table.length, (view, offset, i, le) =>
        view.setUint16(offset, (table[i] as readonly [number, number])[0], le),
      )) {
        expect([...values], type).toEqual(table.map(([, value]) => value));
      }
    }
  });

  // PyTorch: torch.arange(256, dtype=uint8).view(torch.float8_e4m3fn).to(torch.float32), and so on.
  it.each([
    [
      'F8_E4M3',
      { 0x00: 0, 0x01: 2 ** -9, 0x07: 0.013671875, 0x7b: 352, 0x7e: 448, 0x7f: NaN, 0x80: -0, 0xff: NaN },
    ],
    [
      'F8_E5M2',
      { 0x01: 2 ** -16, 0x3c: 1, 0x7b: 57344, 0x7c: Infinity, 0x7d: NaN, 0x80: -0, 0xfc: -Infinity },
    ],
    ['F8_E4M3FNUZ', { 0x01: 2 ** -10, 0x7b: 176, 0x7f: 240, 0x80: NaN, 0x81: -(2 ** -10), 0xff: -240 }],
    ['F8_E5M2FNUZ', { 0x01: 2 ** -17, 0x7b: 28672, 0x7f: 57344, 0x80: NaN, 0xff: -57344 }],
    ['F8_E8M0', { 0x00: 2 ** -127, 0x7b: 0.0625, 0x7f: 1, 0xfe: 2 ** 127, 0xff: NaN }],
  ] as const)('reads %s as PyTorch does', (type, values) => {
    const codes = Object.keys(values).map(Number);
    expect([...float32Values(Uint8Array.from(codes), type)]).toEqual(Object.values(values));
  });
});

describe('listSafetensors', () => {
  it('reads the tensors beside one that cannot be read', () => {
    const file = fileOf(
      {
        __metadata__: { nested: '[{[{[{[{[{[{' },
        text: { dtype: 'F6_E2M3', shape: [4], data_offsets: [0, 3] },
        table: { dtype: 'F32', shape: [1], data_offsets: [3, 7] },
      },
      new Uint8Array([0, 0, 0, 0, 0, 0x80, 0x3f]),
    );
    const tensors = listSafetensors(file, 'a.safetensors');
    expect([...tensors.keys()]).toEqual(['text', 'table']);
    expect(tensors.get('table')?.values()).toEqual(Float32Array.of(1));
    expect(() => tensors.get('text')?.values()).toThrow(
      /^a\.safetensors: tensor "text" has elements of type "F6_E2M3"/,
    );
    expect(() => decodeSafetensors(file, 'a.safetensors')).toThrow(/"F6_E2M3"; read are BOOL/);
  });
});
