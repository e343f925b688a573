import { inflateRawSync } from 'node:zlib';
import { FileFormatError } from '@g2d/tensor-ops';
import { fromBuffer, type Entry, type ZipFile } from 'yauzl';

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
export async function readZip(
  archive: Buffer,
  path: string,
  { totalBytes = 2 ** 28, select = () => true }: ZipLimits = {},
): Promise<ReadonlyMap<string, Buffer>> {
  const members = new Map<string, Buffer>();
  const damaged = (error: unknown): FileFormatError =>
    new FileFormatError(path, `cannot be read as a zip archive (${(error as Error).message}).`, {
      cause: error,
    });
  const zip = await new Promise<ZipFile>((resolve, reject) => {
    fromBuffer(archive, { lazyEntries: true }, (error, opened) => {
      if (error) reject(damaged(error));
      else resolve(opened);
    });
  });
  let total = 0;
  await new Promise<void>((resolve, reject) => {
    zip.on('error', (error) => reject(damaged(error)));
    zip.on('end', resolve);
    zip.on('entry', (entry: Entry) => {
      const name = entry.fileName;
      if (name.endsWith('/') || !select(name)) {
        zip.readEntry();
        return;
      }
      total += entry.uncompressedSize;
      if (total > totalBytes) {
        reject(new FileFormatError(path, `unpacks to more than ${totalBytes} bytes.`, { limit: totalBytes }));
        return;
      }
      readMember(zip, archive, entry).then(
        (content) => {
          if (crc32(content) !== entry.crc32) {
            reject(new FileFormatError(path, `member "${name}" is damaged: its CRC-32 does not agree.`));
            return;
          }
          members.set(name, content);
          zip.readEntry();
        },
        (error: unknown) => reject(damaged(error)),
      );
    });
    zip.readEntry();
  });
  return members;
}

/** Unpacks one member at once: with thousands of small ones, a stream for each takes longer than unpacking. */
function readMember(zip: ZipFile, archive: Buffer, entry: Entry): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    zip.readLocalFileHeader(entry, { minimal: true }, (error, header) => {
      if (error) {
        reject(error);
        return;
      }
      const packed = archive.subarray(header.fileDataStart, header.fileDataStart + entry.compressedSize);
      try {
        resolve(unpack(packed, entry));
      } catch (problem) {
        reject(problem as Error);
      }
    });
  });
}

function unpack(packed: Buffer, { compressionMethod, uncompressedSize, fileName, ...entry }: Entry): Buffer {
  if (entry.generalPurposeBitFlag & 1) throw new Error(`member "${fileName}" is encrypted`);
  if (compressionMethod !== 0 && compressionMethod !== 8) {
    throw new Error(
      `member "${fileName}" uses compression method ${compressionMethod}, only deflate is read`,
    );
  }
  const content =
    compressionMethod === 0
      ? packed
      : inflateRawSync(packed, { maxOutputLength: Math.max(1, uncompressedSize) });
  if (content.length !== uncompressedSize) {
    throw new Error(`member "${fileName}" has ${content.length} bytes instead of ${uncompressedSize}`);
  }
  return content;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** The checksum of zip and gzip (`zlib.crc32` came only with Node 20.15). */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) {
    crc = (CRC_TABLE[(crc ^ (bytes[i] as number)) & 0xff] as number) ^ (crc >>> 8);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
