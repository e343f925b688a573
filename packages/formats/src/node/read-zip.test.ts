import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../zip/crc32.js';
import { readZip } from './read-zip.js';

interface Member {
  readonly name: string;
  readonly content: Buffer;
  readonly method?: number;
  /** Overrides of what the headers say. */
  readonly size?: number;
  readonly flags?: number;
}

/** A zip archive by hand: local headers and data, the directory, its end. */
function zip(members: readonly Member[]): Buffer {
  const local: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, method = 8, size = content.length, flags = 0 } of members) {
    const packed = method === 8 ? deflateRawSync(content) : content;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(flags, 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(size, 18);
    common.writeUInt16LE(name.length, 22);
    const entry = Buffer.alloc(14);
    entry.writeUInt32LE(offset, 10);
    local.push(Buffer.from('PK\x03\x04'), common, Buffer.from(name), packed);
    directory.push(Buffer.from('PK\x01\x02'), Buffer.from([20, 0]), common, entry, Buffer.from(name));
    offset += 30 + name.length + packed.length;
  }
  const size = directory.reduce((sum, piece) => sum + piece.length, 0);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(members.length, 4);
  end.writeUInt16LE(members.length, 6);
  end.writeUInt32LE(size, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...local, ...directory, Buffer.from('PK\x05\x06'), end]);
}

const text = Buffer.from('hello hello hello');

describe('readZip', () => {
  it('reads deflated and stored members and leaves out folders', () => {
    const archive = zip([
      { name: 'a.txt', content: text },
      { name: 'folder/', content: Buffer.alloc(0), method: 0 },
      { name: 'folder/b', content: text, method: 0 },
    ]);
    const members = readZip(archive, 'x.zip');
    expect([...members.keys()]).toEqual(['a.txt', 'folder/b']);
    expect(members.get('a.txt')).toEqual(text);
    expect(members.get('folder/b')).toEqual(text);
  });

  it('reads only selected members', () => {
    const archive = zip([
      { name: 'a', content: text },
      { name: 'b', content: text },
    ]);
    expect([...readZip(archive, 'x.zip', { select: (name) => name === 'b' }).keys()]).toEqual(['b']);
  });

  it.each([
    ['no archive', Buffer.from('<html>'), /x\.zip: cannot be read as a zip archive/],
    ['a cut archive', zip([{ name: 'a', content: text }]).subarray(0, -3), /cannot be read/],
    ['an encrypted member', zip([{ name: 'a', content: text, flags: 1 }]), /encrypted/],
    ['another compression', zip([{ name: 'a', content: text, method: 12 }]), /compression method 12/],
    ['a member larger than it says', zip([{ name: 'a', content: text, size: 5 }]), /cannot be read/],
    [
      'a member smaller than it says',
      zip([{ name: 'a', content: text, size: 50 }]),
      /17 bytes instead of 50/,
    ],
    ['a path that leaves the archive', zip([{ name: '../a', content: text }]), /cannot be read/],
  ])('refuses %s', (_, archive, message) => {
    expect(() => readZip(archive, 'x.zip')).toThrow(message);
  });

  it('refuses a damaged member', () => {
    const archive = zip([{ name: 'a', content: text, method: 0 }]);
    archive.write('j', 31);
    expect(() => readZip(archive, 'x.zip')).toThrow(/"a" is damaged/);
  });

  it('refuses more than the limit', () => {
    const archive = zip([
      { name: 'a', content: text },
      { name: 'b', content: text },
    ]);
    expect(() => readZip(archive, 'x.zip', { totalBytes: 20 })).toThrow(/more than 20 bytes/);
  });
});

describe('crc32', () => {
  it('gives the check value of the polynomial', () => {
    expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
  });

  it('refuses an archive of more members than any file of the field has', () => {
    const entry = Buffer.alloc(46);
    entry.write('PK\x01\x02');
    const count = 2 ** 18 + 1;
    // The 64-bit form, as the other one counts to 65,535 only.
    const wide = Buffer.alloc(56 + 20 + 22);
    wide.write('PK\x06\x06');
    wide.writeBigUInt64LE(BigInt(count), 32);
    wide.write('PK\x06\x07', 56);
    wide.writeBigUInt64LE(BigInt(46 * count), 64);
    wide.write('PK\x05\x06', 76);
    const archive = Buffer.concat([...Array.from({ length: count }, () => entry), wide]);
    expect(() => readZip(archive, 'a.zip')).toThrow(
      /a zip archive of 262145 members; at most 262144 are read/,
    );
  });
});
