import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import { tensorflowFiles, type Platform } from '../src/wheels.js';

/** A folder that is removed when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'g2d-native-test-'));
  // Readable for everybody: some tests give up root's rights.
  chmodSync(folder, 0o755);
  onTestFinished(() => {
    // Some tests make folders read-only, which only root could remove.
    spawnSync('chmod', ['-R', 'u+rwX', folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

// zlib.crc32 came with Node 20.15 and 22.2; the table is for older ones and for clarity of what a zip file holds.
const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});
const checksum = (data: Buffer): number =>
  typeof crc32 === 'function'
    ? crc32(data)
    : (data.reduce((crc, byte) => crcTable[(crc ^ byte) & 255]! ^ (crc >>> 8), ~0) ^ ~0) >>> 0;

/** A zip file with these contents, deflated. */
export function zip(files: Readonly<Record<string, string | Buffer>>): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [path, contents] of Object.entries(files)) {
    const data = Buffer.from(contents as string);
    const name = Buffer.from(path);
    const packed = deflateRawSync(data);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(checksum(data), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, name, packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, tail, name]));
    bodies.push(local);
    offset += local.length;
  }
  const table = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(bodies.length, 8);
  end.writeUInt16LE(bodies.length, 10);
  end.writeUInt32LE(table.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...bodies, table, end]);
}

/** What a wheel is made of; `record` replaces lines of RECORD (null drops one). */
export interface WheelParts {
  readonly name?: string;
  readonly version?: string;
  readonly files?: Readonly<Record<string, string | Buffer>>;
  readonly metadata?: string;
  readonly record?: Readonly<Record<string, string | null>>;
}

/** A Python wheel of a few hundred bytes. */
export function wheel(parts: WheelParts = {}): Buffer {
  const { name = 'tensorflow-cpu', version = '9.9.9', files = tensorflowContents() } = parts;
  const info = `${name.replaceAll('-', '_')}-${version}.dist-info`;
  const all: Record<string, string | Buffer> = {
    ...files,
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n${parts.metadata ?? ''}`,
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\n',
  };
  const lines = Object.entries(all).flatMap(([path, contents]) => {
    const sum = createHash('sha256').update(contents).digest('base64url');
    const line = parts.record?.[path];
    return line === null ? [] : [`${path},sha256=${line ?? sum},${contents.length}`];
  });
  return zip({ ...all, [`${info}/RECORD`]: `${lines.join('\n')}\n${info}/RECORD,,\n` });
}

/** Small stand-ins for everything that is taken out of TensorFlow's wheel, and one file that is not. */
export function tensorflowContents(platform: Platform = 'linux'): Record<string, string> {
  return {
    ...Object.fromEntries(tensorflowFiles(platform).map(({ from }) => [from, `contents of ${from}\n`])),
    'tensorflow/python/not-needed.py': 'print()\n',
  };
}

/** Writes a wheel under the file name that pip expects. */
export function writeWheel(
  folder: string,
  parts: WheelParts = {},
  platform = 'manylinux_2_27_x86_64',
): string {
  const { name = 'tensorflow-cpu', version = '9.9.9' } = parts;
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name.replaceAll('-', '_')}-${version}-cp311-cp311-${platform}.whl`);
  writeFileSync(file, wheel(parts));
  return file;
}

/** A project with a stand-in for tfjs-node-gpu; gives the project's folder. */
export function fakeProject({ tfjs = true }: { tfjs?: boolean } = {}): string {
  const project = temporaryFolder();
  writeFileSync(join(project, 'package.json'), '{ "name": "a-project", "private": true }\n');
  if (tfjs) writeTfjs(project);
  return project;
}

/** Puts the stand-in into a project that has none. */
export function writeTfjs(project: string, name = '@tensorflow/tfjs-node-gpu'): string {
  const folder = join(project, 'node_modules', name);
  mkdirSync(join(folder, 'binding'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, version: '4.22.0' }));
  writeFileSync(join(folder, 'binding', 'tfjs_backend.cc'), '// backend\n');
  writeFileSync(join(folder, 'binding', 'tfjs_binding.cc'), '// binding\n');
  return folder;
}
