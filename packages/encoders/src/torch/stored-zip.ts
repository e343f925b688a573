import { FileFormatError } from '@g2d/tensor-ops';
import { ByteReader } from './byte-reader.js';

/** A member of an archive: where its bytes lie, unpacked. */
export interface StoredMember {
  readonly length: number;
  /** Views of the archive. The first call compares the checksum. */
  bytes(): Uint8Array;
}

const END_BYTES = 22;
const LONGEST_COMMENT = 0xffff;
const LOCATOR_BYTES = 20;

/**
 * Lists the members of an uncompressed zip archive, with 64-bit sizes or without.
 *
 * PyTorch stores tensors unpacked and aligned, so that they need not be copied to be read, in a browser neither. So
 * nothing is unpacked here: a compressed member is an error, and no archive can grow.
 *
 * @param archive The archive's content. The members are views of it.
 * @param path Its name, for error messages.
 * @throws {FileFormatError} If it is truncated or damaged, or `bytes()` of a member that is compressed or encrypted.
 * @see PKWARE APPNOTE.TXT 6.3, sections 4.3 and 4.5.3
 */
export function listStoredZip(archive: Uint8Array, path: string): ReadonlyMap<string, StoredMember> {
  const damaged = (): FileFormatError =>
    new FileFormatError(path, 'damaged: the list of contents of the zip archive is not valid.');
  const { count, start, end } = findDirectory(archive, path);
  if (!(start <= end && count * 46 <= end - start)) throw damaged();
  const reader = new ByteReader(archive.subarray(0, end), path, start);
  const members = new Map<string, StoredMember>();
  for (let i = 0; i < count; i++) {
    if (reader.uint32() !== 0x02014b50) throw damaged();
    reader.skip(4);
    const flags = reader.uint16();
    const method = reader.uint16();
    reader.skip(4);
    const crc = reader.uint32();
    let packed = reader.uint32();
    let length = reader.uint32();
    const nameBytes = reader.uint16();
    const extraBytes = reader.uint16();
    const commentBytes = reader.uint16();
    reader.skip(8);
    let header = reader.uint32();
    const name = reader.text(nameBytes);
    const wide = wideSizes(reader.take(extraBytes), path);
    reader.skip(commentBytes);
    // A field of 32 set bits stands for the next number of the 64-bit extension, in this order.
    if (length === 0xffffffff) length = wide.shift() ?? NaN;
    if (packed === 0xffffffff) packed = wide.shift() ?? NaN;
    if (header === 0xffffffff) header = wide.shift() ?? NaN;
    if (members.has(name) || !(header + length <= archive.length)) throw damaged();
    const readable = method === 0 && packed === length && (flags & 1) === 0;
    members.set(name, {
      length,
      bytes: once(() => {
        if (!readable) {
          throw new FileFormatError(
            path,
            `"${name}" is compressed or encrypted in the zip archive; PyTorch stores it as it is. Save the checkpoint again with torch.save.`,
          );
        }
        return content({ archive, path, name, header, length, crc });
      }),
    });
  }
  return members;
}

function findDirectory(
  archive: Uint8Array,
  path: string,
): { readonly count: number; readonly start: number; readonly end: number } {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  const last = archive.length - END_BYTES;
  for (let at = last; at >= 0 && at >= last - LONGEST_COMMENT; at--) {
    if (view.getUint32(at, true) !== 0x06054b50) continue;
    const locator = at - LOCATOR_BYTES;
    if (locator >= 0 && view.getUint32(locator, true) === 0x07064b50) {
      const reader = new ByteReader(archive, path, Number(view.getBigUint64(locator + 8, true)));
      if (reader.uint32() === 0x06064b50) {
        reader.skip(28);
        const count = reader.uint64();
        reader.skip(8);
        return { count, start: reader.uint64(), end: locator };
      }
    }
    return { count: view.getUint16(at + 10, true), start: view.getUint32(at + 16, true), end: at };
  }
  throw new FileFormatError(
    path,
    `truncated: a zip archive of ${archive.length} bytes without the list of contents at its end. Copy or download the file again.`,
  );
}

/** The numbers of the zip64 extension among a member's extra fields. */
function wideSizes(extra: Uint8Array, path: string): number[] {
  const reader = new ByteReader(extra, path);
  while (reader.position + 4 <= extra.length) {
    const kind = reader.uint16();
    const field = reader.take(reader.uint16());
    if (kind === 1) {
      const numbers = new ByteReader(field, path);
      return Array.from({ length: Math.floor(field.length / 8) }, () => numbers.uint64());
    }
  }
  return [];
}

function content({
  archive,
  path,
  name,
  header,
  length,
  crc,
}: {
  readonly archive: Uint8Array;
  readonly path: string;
  readonly name: string;
  readonly header: number;
  readonly length: number;
  readonly crc: number;
}): Uint8Array {
  // The local header repeats the name and has extra fields of its own: PyTorch's padding.
  const reader = new ByteReader(archive, path, header);
  if (reader.uint32() !== 0x04034b50) {
    throw new FileFormatError(path, `damaged: "${name}" is not where the zip archive lists it.`);
  }
  reader.skip(22);
  const nameBytes = reader.uint16();
  reader.skip(nameBytes + reader.uint16());
  const bytes = reader.take(length);
  // PyTorch writes 0 where it was told not to compute checksums.
  if (crc !== 0 && crc32(bytes) !== crc) {
    throw new FileFormatError(
      path,
      `damaged: the checksum of "${name}" does not agree. Copy or download the file again.`,
    );
  }
  return bytes;
}

function once<T>(compute: () => T): () => T {
  let result: { readonly value: T } | undefined;
  return () => (result ??= { value: compute() }).value;
}

/** CRC-32, four bytes at a time: `CRC_TABLES[k][b]` is the checksum of byte b followed by k zeros. */
const CRC_TABLES = crcTables();

function crcTables(): readonly Uint32Array[] {
  const first = Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    return crc;
  });
  const tables = [first];
  for (let k = 1; k < 4; k++) {
    const previous = tables[k - 1] as Uint32Array;
    tables.push(previous.map((crc) => (crc >>> 8) ^ (first[crc & 0xff] as number)));
  }
  return tables;
}

function crc32(bytes: Uint8Array): number {
  const [t0, t1, t2, t3] = CRC_TABLES as [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  let crc = 0xffffffff;
  let i = 0;
  for (; i + 4 <= bytes.length; i += 4) {
    crc ^=
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24);
    crc =
      (t3[crc & 0xff] as number) ^
      (t2[(crc >>> 8) & 0xff] as number) ^
      (t1[(crc >>> 16) & 0xff] as number) ^
      (t0[crc >>> 24] as number);
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ (t0[(crc ^ (bytes[i] as number)) & 0xff] as number);
  return (crc ^ 0xffffffff) >>> 0;
}
