import { existsSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder, wheel, writeWheel, zip } from '../test/fake-wheel.js';
import { unpackWheel } from './unpack-wheel.js';

const everything = (path: string) => path;

async function failure(file: string, into = temporaryFolder(), required: string[] = []): Promise<string> {
  return unpackWheel({ wheel: file, into, select: everything, required }).then(
    () => 'no error',
    (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
  );
}

describe('unpackWheel', () => {
  it('takes out what is selected, under the new names, and gives sizes and hashes', async () => {
    const into = temporaryFolder();
    const file = writeWheel(temporaryFolder(), {
      files: { 'a/lib.so': 'x'.repeat(100_000), 'a/other.py': '' },
    });
    const seen: number[] = [];
    const { files, metadata } = await unpackWheel({
      wheel: file,
      into,
      select: (path) => (path === 'a/lib.so' ? 'lib/lib.so' : null),
      onStart: (total) => seen.push(total),
      onBytes: (done) => seen.push(done),
    });
    // head -c 100000 /dev/zero | tr '\\0' x | sha256sum
    const sha256 = 'd69e68988157833272305aaf21f453c800346e8a3640db6578e260215542e5d4';
    expect(files).toEqual([{ path: 'lib/lib.so', bytes: 100_000, sha256 }]);
    expect(readFileSync(join(into, 'lib/lib.so'), 'utf8')).toBe('x'.repeat(100_000));
    expect(existsSync(join(into, 'a'))).toBe(false);
    expect(metadata).toContain('Version: 9.9.9');
    expect([seen[0], seen.at(-1)]).toEqual([100_000, 100_000]);
  });

  it('refuses a wheel that is cut short', async () => {
    const file = writeWheel(temporaryFolder());
    truncateSync(file, 2_000);
    expect(await failure(file)).toMatch(
      /^G2D_NATIVE_WHEEL_BROKEN: .*not a complete zip file.*Download it again/,
    );
  });

  it('refuses a file whose bytes were changed', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'x.whl');
    const bytes = wheel({
      files: { 'a.so': Buffer.from('some contents that are long enough to be packed') },
    });
    bytes[45] = bytes[45]! ^ 0xff;
    writeFileSync(file, bytes);
    expect(await failure(file)).toMatch(/^G2D_NATIVE_WHEEL_BROKEN: .*a\.so/);
  });

  it('refuses a file that differs from its RECORD or is not in it', async () => {
    const files = { 'a.so': 'abc' };
    const other = writeWheel(temporaryFolder(), { files, record: { 'a.so': 'AAAA' } });
    expect(await failure(other)).toMatch(/SHA-256 of a\.so should be AAAA by its RECORD/);
    const unlisted = writeWheel(temporaryFolder(), { files, record: { 'a.so': null } });
    expect(await failure(unlisted)).toMatch(/a\.so is not in its RECORD/);
  });

  it('never writes outside the target folder', async () => {
    const parent = temporaryFolder();
    for (const name of ['../evil', '/tmp/evil', 'a/../../evil', '..\\evil']) {
      const file = writeWheel(temporaryFolder(), { files: { [name]: 'x' } });
      expect(await failure(file, join(parent, 'target'))).toMatch(/^G2D_NATIVE_WHEEL_BROKEN/);
      expect(existsSync(join(parent, 'evil'))).toBe(false);
    }
    const file = writeWheel(temporaryFolder(), { files: { good: 'x' } });
    await expect(
      unpackWheel({ wheel: file, into: join(parent, 'target'), select: () => '../evil' }),
    ).rejects.toThrow(/leads out of the target folder/);
  });

  it('names a required file that is missing, and a zip file that is no wheel', async () => {
    expect(await failure(writeWheel(temporaryFolder()), temporaryFolder(), ['lib/none.so'])).toMatch(
      /does not contain lib\/none\.so/,
    );
    const file = join(temporaryFolder(), 'x.whl');
    writeFileSync(file, zip({ a: 'b' }));
    expect(await failure(file)).toMatch(/it has no RECORD, so it is not a Python wheel/);
  });

  // Windows and macOS have no device that is always full.
  it.runIf(process.platform === 'linux')('says so when the disk is full', async () => {
    const into = temporaryFolder();
    symlinkSync('/dev/full', join(into, 'a.so'));
    const file = writeWheel(temporaryFolder(), { files: { 'a.so': 'x'.repeat(100_000) } });
    expect(await failure(file, into)).toMatch(/^G2D_NATIVE_DISK_FULL: The disk that holds .* is full.*--dir/);
  });

  it('stops when it is told to', async () => {
    const file = writeWheel(temporaryFolder(), { files: { a: 'x' } });
    const signal = AbortSignal.abort();
    await expect(
      unpackWheel({ wheel: file, into: temporaryFolder(), select: everything, signal }),
    ).rejects.toThrow(/abort/i);
  });
});
