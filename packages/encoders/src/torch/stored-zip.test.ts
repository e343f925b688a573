import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listStoredZip } from './stored-zip.js';

const u16 = (...values: number[]): Buffer => Buffer.from(new Uint16Array(values).buffer);
const u32 = (...values: number[]): Buffer => Buffer.from(new Uint32Array(values).buffer);
const u64 = (...values: number[]): Buffer => Buffer.from(new BigUint64Array(values.map(BigInt)).buffer);

/** One member "a/b" with the content "hello", with every field as given. */
function zip({
  flags = 0,
  method = 0,
  crc = 0x3610a686,
  packed = 5,
  length = 5,
  at = 0,
  extra = Buffer.alloc(0),
  copies = 1,
  count = 1,
  start = 30 + 3 + 4 + 5,
  comment = '',
} = {}): Buffer {
  const name = Buffer.from('a/b');
  const local = Buffer.concat([
    u32(0x04034b50),
    u16(20, 0, 0, 0, 0),
    u32(0, 0, 0),
    u16(3, 4),
    name,
    // An extra field of the local header only, as PyTorch's padding.
    u16(0x4246, 0),
    Buffer.from('hello'),
  ]);
  const entry = Buffer.concat([
    u32(0x02014b50),
    u16(20, 20, flags, method, 0, 0),
    u32(crc, packed, length),
    u16(3, extra.length, 0, 0, 0),
    u32(0, at),
    name,
    extra,
  ]);
  const directory = Buffer.concat(Array.from({ length: copies }, () => entry));
  const end = [u32(0x06054b50), u16(0, 0, count, count), u32(directory.length, start), u16(comment.length)];
  return Buffer.concat([local, directory, ...end, Buffer.from(comment)]);
}

const read = (archive: Uint8Array): string =>
  new TextDecoder().decode(listStoredZip(archive, 'a.zip').get('a/b')!.bytes());

describe('listStoredZip', () => {
  it('finds a member behind its local header, as a view of the archive', () => {
    const archive = zip();
    expect(read(archive)).toBe('hello');
    expect(listStoredZip(archive, 'x').get('a/b')!.bytes().buffer).toBe(archive.buffer);
  });

  it('reads an archive with a comment, and takes the last list of contents', () => {
    expect(read(zip({ comment: 'x'.repeat(65535) }))).toBe('hello');
    expect(read(zip({ comment: 'PK' }))).toBe('hello');
  });

  it('reads 64-bit sizes and offsets, among other extra fields', () => {
    const other = Buffer.concat([u16(0x7075, 2), u16(0)]);
    const all = { packed: 0xffffffff, length: 0xffffffff, at: 0xffffffff };
    expect(read(zip({ ...all, extra: Buffer.concat([other, u16(1, 24), u64(5, 5, 0)]) }))).toBe('hello');
    expect(read(zip({ at: 0xffffffff, extra: Buffer.concat([u16(1, 8), u64(0)]) }))).toBe('hello');
    expect(() => read(zip({ ...all, extra: Buffer.concat([u16(1, 16), u64(5, 5)]) }))).toThrow(/damaged/);
    expect(() => read(zip({ ...all, extra: Buffer.concat([u16(1, 24), u64(5, 5)]) }))).toThrow(/truncated/);
  });

  it('reads a 64-bit list of contents, as PyTorch writes it', () => {
    const archive = readFileSync(join(import.meta.dirname, '../../test/torch/tensor.pth'));
    expect(archive.includes(u32(0x06064b50))).toBe(true);
    expect([...listStoredZip(archive, 'x').keys()]).toContain('tensor/data.pkl');
  });

  it.each([
    ['123456789', 0xcbf43926],
    ['The quick brown fox jumps over the lazy dog', 0x414fa339],
    ['a', 0xe8b7be43],
  ])('computes the checksum of %j as published', (text, crc) => {
    const content = Buffer.from(text);
    const { length } = content;
    const plain = zip({ crc, packed: length, length, start: 30 + 3 + 4 + length });
    const archive = Buffer.concat([plain.subarray(0, 37), content, plain.subarray(42)]);
    expect(read(archive)).toBe(text);
  });

  it.each([
    ['another checksum', { crc: 1 }, /the checksum of "a\/b" does not agree/],
    ['an encrypted member', { flags: 1 }, /"a\/b" is compressed or encrypted/],
    ['a compressed member', { method: 8 }, /"a\/b" is compressed or encrypted/],
    ['a member that grows', { packed: 4 }, /"a\/b" is compressed or encrypted/],
    ['a member that is not where it is listed', { at: 1 }, /"a\/b" is not where/],
    ['a member beyond the end', { length: 1000, packed: 1000 }, /list of contents .* is not valid/],
    ['a header beyond the end', { at: 1000 }, /list of contents .* is not valid/],
    ['a size of 64 bits without its field', { length: 0xffffffff }, /list of contents .* is not valid/],
    ['two members of one name', { copies: 2, count: 2 }, /list of contents .* is not valid/],
    ['more members than there can be', { count: 60000 }, /list of contents .* is not valid/],
    ['fewer entries than counted', { count: 1, start: 43 }, /list of contents .* is not valid/],
    ['a list beyond the end', { start: 1e9 }, /list of contents .* is not valid/],
  ])('refuses %s', (_, fields, message) => {
    expect(() => read(zip(fields))).toThrow(message);
  });
});
