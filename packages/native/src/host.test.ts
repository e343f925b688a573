import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../test/fake-wheel.js';
import { currentHost, describeHost, isSupported, isUntried, nvidiaDriver } from './host.js';

describe('isSupported', () => {
  it('is Linux with glibc on x64 and arm64, and macOS on arm64', () => {
    expect(isSupported({ platform: 'linux', arch: 'x64', musl: false })).toBe(true);
    expect(isSupported({ platform: 'linux', arch: 'arm64', musl: false })).toBe(true);
    expect(isSupported({ platform: 'linux', arch: 'x64', musl: true })).toBe(false);
    expect(isSupported({ platform: 'linux', arch: 'arm', musl: false })).toBe(false);
    const withGlibc = (glibc: string) => isSupported({ platform: 'linux', arch: 'x64', musl: false, glibc });
    expect(['2.9', '2.17', '2.27', '2.36', '2.100', '3.0'].map(withGlibc)).toEqual([
      false,
      false,
      true,
      true,
      true,
      true,
    ]);
    expect(isSupported({ platform: 'darwin', arch: 'arm64', musl: false })).toBe(true);
    expect(isSupported({ platform: 'darwin', arch: 'x64', musl: false })).toBe(false);
    expect(isSupported({ platform: 'win32', arch: 'x64', musl: false })).toBe(false);
  });
});

describe('isUntried', () => {
  it('is macOS on arm64 alone', () => {
    expect(isUntried({ platform: 'darwin', arch: 'arm64' })).toBe(true);
    expect(isUntried({ platform: 'darwin', arch: 'x64' })).toBe(false);
    expect(isUntried({ platform: 'linux', arch: 'arm64' })).toBe(false);
  });
});

describe('currentHost', () => {
  it('is this machine', () => {
    expect(currentHost()).toMatchObject({ platform: process.platform, arch: process.arch });
    expect(typeof currentHost().musl).toBe('boolean');
    const { glibc, musl } = currentHost();
    expect(glibc === undefined).toBe(musl || process.platform !== 'linux');
  });
});

describe('describeHost', () => {
  it('names systems as people do', () => {
    expect(describeHost({ platform: 'darwin', arch: 'arm64', musl: false })).toBe('macOS arm64');
    expect(describeHost({ platform: 'linux', arch: 'x64', musl: true })).toBe('Linux x64 (musl)');
    expect(describeHost({ platform: 'freebsd', arch: 'x64', musl: false })).toBe('freebsd x64');
  });
});

describe('nvidiaDriver', () => {
  it("reads the version from the driver's file", () => {
    const file = join(temporaryFolder(), 'version');
    writeFileSync(
      file,
      'NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024\n',
    );
    expect(nvidiaDriver(file)).toBe('550.54.15');
    expect(nvidiaDriver(`${file}-missing`)).toBeNull();
  });
});
