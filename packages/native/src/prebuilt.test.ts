import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../test/fake-wheel.js';
import { readMachO } from '../test/mach-o.js';
import { addonSources } from './build-addon.js';
import { kernelSources } from './kernels.js';
import { findPrebuilt, prebuiltFile, prebuiltPackage, unpackPrebuilt } from './prebuilt.js';
import { findTfjsNode } from './project.js';
import { describeTarget, libraries, type Platform, type Target } from './wheels.js';

const sources = async (platform: Platform = 'linux') => ({
  addon: await addonSources(findTfjsNode(process.cwd())!, platform),
  kernels: await kernelSources(platform),
});

const x64 = { platform: 'linux', arch: 'x64' } as const;
const mac = { platform: 'darwin', arch: 'arm64' } as const;
const targets: readonly Target[] = [x64, { platform: 'linux', arch: 'arm64' }, mac];

/** For what an ELF or a Mach-O file is. */
function describeBinary(bytes: Buffer): string {
  if (bytes.toString('latin1', 1, 4) !== 'ELF') return `macOS ${readMachO(bytes).cpu}`;
  return `Linux ${{ 62: 'x64', 183: 'arm64' }[bytes.readUInt16LE(18)]}`;
}

/** The binaries that are here for a target. */
async function binaries(target: Target): Promise<Buffer[]> {
  const cache = temporaryFolder();
  const parts = Object.entries(await sources(target.platform)) as ['addon' | 'kernels', string][];
  return Promise.all(
    parts.map(async ([part, hash]) => {
      const found = findPrebuilt(target, part, hash)!;
      expect(found.package).toBe(prebuiltPackage(target));
      const file = prebuiltFile(cache, found, 'some.node');
      expect(await unpackPrebuilt(cache, file, found)).toEqual({ file, sha256: found.sha256 });
      return readFileSync(file);
    }),
  );
}

describe('findPrebuilt', () => {
  it.each(targets.map((target) => [describeTarget(target), target] as const))(
    'has the add-on and the kernels of the sources that are here for %s (else: npm run prebuilt)',
    async (_, target) => {
      for (const bytes of await binaries(target)) {
        expect(describeBinary(bytes)).toBe(describeTarget(target));
        // No folder of the machine that built it: the bytes are the same wherever that is done.
        expect(bytes.toString('latin1').match(/(?<=\0)\/[\w.@/-]+\.(?:cc|cpp|h)(?=\0)/g) ?? []).toEqual([]);
      }
    },
  );

  // What can be known without a Mac.
  it('has for macOS what its loader asks of a library, and what it wants is in the wheel', async () => {
    const names = readFileSync(new URL('../test/macos-names.txt', import.meta.url), 'utf8').split('\n');
    for (const bytes of await binaries(mac)) {
      const found = readMachO(bytes);
      expect(found).toMatchObject({
        type: 6,
        oldest: '12.0',
        libraries: [
          { name: '/usr/lib/libSystem.B.dylib' },
          // As they call themselves, and of version 0 as they are.
          ...libraries.darwin.map((name) => ({ name: `@rpath/${name}`, version: 0 })),
        ],
        searched: ['@loader_path/../../deps/lib'],
        isSigned: true,
      });
      expect(found.name).toMatch(/^@rpath\/\w+\.node$/);
      expect(found.defined).toContain('napi_register_module_v1');
      // Of the system, Node or TensorFlow; and of TensorFlow only what its libraries for macOS have.
      const outside = found.wanted.filter(({ from }) => from !== 1);
      expect(new Set(outside.map(({ from }) => from))).toEqual(new Set([-2]));
      const tensorflow = outside.map(({ name }) => name).filter((name) => !name.startsWith('napi_'));
      expect(tensorflow.length).toBeGreaterThan(20);
      expect(tensorflow.filter((name) => !names.includes(name))).toEqual([]);
    }
  });

  it('sees a signature that is not of these bytes', async () => {
    const [addon] = await binaries(mac);
    addon!.writeUInt8(addon!.readUInt8(100_000) ^ 1, 100_000);
    expect(readMachO(addon!).isSigned).toBe(false);
  });

  it('is less than 1 MB for all platforms together', async () => {
    let bytes = 0;
    for (const target of targets)
      for (const [part, hash] of Object.entries(await sources(target.platform)))
        bytes += statSync(findPrebuilt(target, part as 'addon' | 'kernels', hash)!.packed).size;
    expect(bytes).toBeLessThan(1_000_000);
  });

  it('is null for other sources, another processor, and a package that is damaged', async () => {
    const { addon } = await sources();
    expect(findPrebuilt(x64, 'addon', '0'.repeat(12))).toBeNull();
    expect(findPrebuilt({ platform: 'linux', arch: 'riscv64' }, 'addon', addon)).toBeNull();
    // Other flags are other sources.
    expect(findPrebuilt(mac, 'addon', addon)).toBeNull();
    expect(findPrebuilt(x64, 'addon', addon, null)).toBeNull();
    const folder = temporaryFolder();
    expect(findPrebuilt(x64, 'addon', addon, folder)).toBeNull();
    writeFileSync(join(folder, 'prebuilt.json'), '{ "format": 2 }');
    expect(findPrebuilt(x64, 'addon', addon, folder)).toBeNull();
  });
});

describe('unpackPrebuilt', () => {
  it('refuses bytes that are not those of the record', async () => {
    const folder = temporaryFolder();
    const packed = join(folder, 'addon.node.br');
    const prebuilt = { package: '@g2d/native-linux-x64', packed, sha256: 'a'.repeat(64) };
    for (const bytes of [
      'no Brotli',
      readFileSync(findPrebuilt(x64, 'addon', (await sources()).addon)!.packed),
    ]) {
      writeFileSync(packed, bytes);
      await expect(unpackPrebuilt(folder, join(folder, 'x.node'), prebuilt)).rejects.toMatchObject({
        code: 'G2D_NATIVE_WRONG_HASH',
        message: expect.stringMatching(
          /is damaged: its SHA-256 should be aaa.*Install that package again, or build from source/,
        ),
      });
    }
  });
});
