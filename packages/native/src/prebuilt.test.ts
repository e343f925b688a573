import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../test/fake-wheel.js';
import { addonSources } from './build-addon.js';
import { kernelSources } from './kernels.js';
import { findPrebuilt, prebuiltFile, prebuiltPackage, unpackPrebuilt } from './prebuilt.js';
import { findTfjsNode } from './project.js';

const sources = async () => ({
  addon: await addonSources(findTfjsNode(process.cwd())!),
  kernels: await kernelSources(),
});

describe('findPrebuilt', () => {
  it.each(['x64', 'arm64'])(
    'has the add-on and the kernels of the sources that are here for Linux %s (else: npm run prebuilt)',
    async (arch) => {
      for (const [part, hash] of Object.entries(await sources()) as ['addon' | 'kernels', string][]) {
        const found = findPrebuilt(arch, part, hash)!;
        expect(found.package).toBe(prebuiltPackage(arch));
        const cache = temporaryFolder();
        const file = prebuiltFile(cache, found, 'some.node');
        expect(await unpackPrebuilt(cache, file, found)).toEqual({ file, sha256: found.sha256 });
        // An ELF file for this processor.
        const bytes = readFileSync(file);
        const header = bytes.subarray(0, 20);
        expect(header.toString('latin1', 1, 4)).toBe('ELF');
        expect(header.readUInt16LE(18)).toBe(arch === 'x64' ? 62 : 183);
        // No folder of the machine that built it: the bytes are the same wherever that is done.
        expect(bytes.toString('latin1').match(/(?<=\0)\/[\w.@/-]+\.(?:cc|cpp|h)(?=\0)/g) ?? []).toEqual([]);
      }
    },
  );

  it('is null for other sources, another processor, and a package that is damaged', async () => {
    const { addon } = await sources();
    expect(findPrebuilt('x64', 'addon', '0'.repeat(12))).toBeNull();
    expect(findPrebuilt('riscv64', 'addon', addon)).toBeNull();
    expect(findPrebuilt('x64', 'addon', addon, null)).toBeNull();
    const folder = temporaryFolder();
    expect(findPrebuilt('x64', 'addon', addon, folder)).toBeNull();
    writeFileSync(join(folder, 'prebuilt.json'), '{ "format": 2 }');
    expect(findPrebuilt('x64', 'addon', addon, folder)).toBeNull();
  });
});

describe('unpackPrebuilt', () => {
  it('refuses bytes that are not those of the record', async () => {
    const folder = temporaryFolder();
    const packed = join(folder, 'addon.node.br');
    const prebuilt = { package: '@g2d/native-linux-x64', packed, sha256: 'a'.repeat(64) };
    for (const bytes of [
      'no Brotli',
      readFileSync(findPrebuilt('x64', 'addon', (await sources()).addon)!.packed),
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
