import { inflateRawSync } from 'node:zlib';
import { checkKeys, FileFormatError } from '@g2d/core';
import { crc32 } from '../zip/crc32.js';
import { listZip, type ZipMember } from '../zip/list-zip.js';

/** Bounds against archives that unpack to more than they should. */
export interface ZipLimits {
  /** Largest total of the unpacked members read, in bytes. Default 256 MiB. */
  readonly totalBytes?: number;
  /** Which members to read, by name. Default: all. */
  readonly select?: (name: string) => boolean;
}

/**
 * Reads the members of a small zip archive into memory.
 *
 * @param archive The archive's content.
 * @param path Its name, for error messages.
 * @returns Name → content. Folders are left out.
 * @throws {FileFormatError} If it is no zip archive, a member is damaged (CRC-32), or the limits are exceeded.
 */
export function readZip(
  archive: Uint8Array,
  path: string,
  limits: ZipLimits = {},
): ReadonlyMap<string, Buffer> {
  const { totalBytes = 2 ** 28, select = () => true } = checkKeys(
    limits,
    { totalBytes: true, select: true },
    'readZip',
  );
  const selected = [...orRefuse(path, () => listZip(archive, path))].filter(
    ([name]) => !name.endsWith('/') && select(name),
  );
  const members = new Map<string, Buffer>();
  let total = 0;
  for (const [name, member] of selected) {
    total += member.bytes;
    if (total > totalBytes) {
      throw new FileFormatError(path, `unpacks to more than ${totalBytes} bytes.`, { limit: totalBytes });
    }
    const content = orRefuse(path, () => unpack(member, name));
    if (crc32(content) !== member.checksum) {
      throw new FileFormatError(path, `member "${name}" is damaged: its CRC-32 does not agree.`);
    }
    members.set(name, content);
  }
  return members;
}

function orRefuse<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const reason = FileFormatError.isInstance(error) ? error.details['problem'] : (error as Error).message;
    throw new FileFormatError(path, `cannot be read as a zip archive (${String(reason)}).`, { cause: error });
  }
}

function unpack(member: ZipMember, name: string): Buffer {
  const { method, bytes } = member;
  // Nothing is written to disk under such a name; who makes one wants that to happen.
  if (/^[/\\]|^[a-zA-Z]:|(^|[/\\])\.\.([/\\]|$)/.test(name)) {
    throw new Error(`member "${name}" has a name that leaves the archive`);
  }
  if (member.encrypted) throw new Error(`member "${name}" is encrypted`);
  if (method !== 0 && method !== 8) {
    throw new Error(`member "${name}" uses compression method ${method}, only deflate is read`);
  }
  const packed = member.packed();
  const content =
    method === 0
      ? Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength)
      : inflateRawSync(packed, { maxOutputLength: Math.max(1, bytes) });
  if (content.length !== bytes) {
    throw new Error(`member "${name}" has ${content.length} bytes instead of ${bytes}`);
  }
  return content;
}
