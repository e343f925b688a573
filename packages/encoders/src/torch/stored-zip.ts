import { crc32, listZip, type ZipMember } from '@g2d/formats';
import { FileFormatError } from '@g2d/core';

/** A member of an archive: where its bytes lie, unpacked. */
export interface StoredMember {
  readonly length: number;
  /** Views of the archive. The first call compares the checksum. */
  bytes(): Uint8Array;
}

/**
 * Lists the members of an uncompressed zip archive, with 64-bit sizes or without.
 *
 * PyTorch stores tensors unpacked and aligned, so that they need not be copied to be read, in a browser neither. So
 * nothing is unpacked here: a compressed member is an error, and no archive can grow.
 *
 * @param archive The archive's content. The members are views of it.
 * @param path Its name, for error messages.
 * @throws {FileFormatError} If it is truncated or damaged, or `bytes()` of a member that is compressed or encrypted.
 */
export function listStoredZip(archive: Uint8Array, path: string): ReadonlyMap<string, StoredMember> {
  return new Map(
    Array.from(listZip(archive, path), ([name, member]) => [
      name,
      { length: member.bytes, bytes: once(() => storedBytes(member, name, path)) },
    ]),
  );
}

function storedBytes(member: ZipMember, name: string, path: string): Uint8Array {
  if (member.method !== 0 || member.packedBytes !== member.bytes || member.encrypted) {
    throw new FileFormatError(
      path,
      `"${name}" is compressed or encrypted in the zip archive; PyTorch stores it as it is. Save the checkpoint again with torch.save.`,
    );
  }
  const bytes = member.packed();
  // PyTorch writes 0 where it was told not to compute checksums.
  if (member.checksum !== 0 && crc32(bytes) !== member.checksum) {
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
