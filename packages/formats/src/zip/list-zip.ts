import { FileFormatError } from '@g2d/core';
import { ByteReader } from './byte-reader.js';

/** A member of a zip archive, as the list of contents describes it. */
export interface ZipMember {
  /** 0: stored as it is; 8: deflated. */
  readonly method: number;
  readonly encrypted: boolean;
  /** Bytes in the archive. */
  readonly packedBytes: number;
  /** Bytes once unpacked. Nothing but the archive says so: check it while unpacking. */
  readonly bytes: number;
  /** CRC-32 of the unpacked bytes. */
  readonly checksum: number;
  /**
   * The bytes in the archive, as a view of it.
   *
   * @throws {FileFormatError} If they are not where the archive lists them.
   */
  packed(): Uint8Array;
}

const END_BYTES = 22;
const LONGEST_COMMENT = 0xffff;
const LOCATOR_BYTES = 20;
/** Each takes some hundred bytes of memory. Archives of checkpoints, arrays and recordings have some thousands. */
const MOST_MEMBERS = 2 ** 18;

/**
 * Lists the members of a zip archive, with 64-bit sizes or without. Nothing is unpacked.
 *
 * @param archive The archive's content. The members are views of it.
 * @param path Its name, for error messages.
 * @returns Name → member, in the order of the list. A name that is no UTF-8 is read as one character a byte.
 * @throws {FileFormatError} If it is truncated or damaged.
 * @see PKWARE APPNOTE.TXT 6.3, sections 4.3 and 4.5.3
 */
export function listZip(archive: Uint8Array, path: string): ReadonlyMap<string, ZipMember> {
  const damaged = (): FileFormatError =>
    new FileFormatError(path, 'damaged: the list of contents of the zip archive is not valid.');
  const { count, start, end } = findDirectory(archive, path);
  if (!(start <= end && count * 46 <= end - start)) throw damaged();
  if (count > MOST_MEMBERS) {
    throw new FileFormatError(path, `a zip archive of ${count} members; at most ${MOST_MEMBERS} are read.`);
  }
  const reader = new ByteReader(archive.subarray(0, end), path, start);
  const members = new Map<string, ZipMember>();
  for (let i = 0; i < count; i++) {
    if (reader.uint32() !== 0x02014b50) throw damaged();
    reader.skip(4);
    const flags = reader.uint16();
    const method = reader.uint16();
    reader.skip(4);
    const checksum = reader.uint32();
    let packedBytes = reader.uint32();
    let bytes = reader.uint32();
    const nameBytes = reader.uint16();
    const extraBytes = reader.uint16();
    const commentBytes = reader.uint16();
    reader.skip(8);
    let header = reader.uint32();
    const name = text(reader.take(nameBytes));
    const wide = wideSizes(reader.take(extraBytes), path);
    reader.skip(commentBytes);
    // A field of 32 set bits stands for the next number of the 64-bit extension, in this order.
    if (bytes === 0xffffffff) bytes = wide.shift() ?? NaN;
    if (packedBytes === 0xffffffff) packedBytes = wide.shift() ?? NaN;
    if (header === 0xffffffff) header = wide.shift() ?? NaN;
    // `!(… <= …)` also catches sizes that are missing.
    if (members.has(name) || !(bytes >= 0) || !(header + packedBytes <= archive.length)) throw damaged();
    members.set(name, {
      method,
      encrypted: (flags & 1) !== 0,
      packedBytes,
      bytes,
      checksum,
      packed: () => packedContent(archive, path, { name, header, packedBytes }),
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

function packedContent(
  archive: Uint8Array,
  path: string,
  {
    name,
    header,
    packedBytes,
  }: { readonly name: string; readonly header: number; readonly packedBytes: number },
): Uint8Array {
  // The local header repeats the name and has extra fields of its own, PyTorch's padding for example.
  const reader = new ByteReader(archive, path, header);
  if (reader.uint32() !== 0x04034b50) {
    throw new FileFormatError(path, `damaged: "${name}" is not where the zip archive lists it.`);
  }
  reader.skip(22);
  const nameBytes = reader.uint16();
  reader.skip(nameBytes + reader.uint16());
  return reader.take(packedBytes);
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Old archives have names in the code page of whoever wrote them: one such name must not hide the other members. */
function text(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  }
}
