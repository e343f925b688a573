import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { asOrdinaryUser } from '../test/ordinary-user.js';
import { temporaryFolder } from '../test/fake-wheel.js';
import {
  assertFreeSpace,
  brokenFiles,
  cacheLocation,
  forgetLibrary,
  isWritable,
  publishLibrary,
  readLibrary,
  withLock,
  withStaging,
  type Library,
} from './cache.js';

// printf abc | sha256sum
const abc = {
  path: 'lib/a.so',
  bytes: 3,
  sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
};

async function publish(cache: string, contents = 'abc'): Promise<Library> {
  return withStaging(cache, (staging) => {
    const staged = join(staging, 'library');
    mkdirSync(join(staged, 'lib'), { recursive: true });
    writeFileSync(join(staged, 'lib/a.so'), contents);
    return publishLibrary(staged, join(cache, 'tensorflow'), {
      format: 1,
      distribution: 'tensorflow-cpu',
      version: '9.9.9',
      variant: 'cpu',
      arch: 'x64',
      wheelSha256: null,
      files: [abc],
    });
  });
}

describe('cacheLocation', () => {
  it('is the option, the variable, the XDG folder or the home folder, in this order', () => {
    const env = { G2D_CACHE_DIR: '/variable', XDG_CACHE_HOME: '/xdg', HOME: '/home/u' };
    expect(cacheLocation('/option', env)).toEqual({ path: '/option', explicit: true });
    expect(cacheLocation(undefined, env)).toEqual({ path: '/variable', explicit: true });
    expect(cacheLocation(undefined, { ...env, G2D_CACHE_DIR: '' })).toEqual({
      path: '/xdg/g2d-native',
      explicit: false,
    });
    expect(cacheLocation(undefined, { HOME: '/home/u' }).path).toBe('/home/u/.cache/g2d-native');
  });
});

describe('readLibrary', () => {
  it('sees a library only when it is complete', async () => {
    const cache = temporaryFolder();
    expect(readLibrary(join(cache, 'tensorflow'))).toBeNull();
    const library = await publish(cache);
    expect(readLibrary(library.folder)).toMatchObject({ id: library.id, manifest: { version: '9.9.9' } });
    writeFileSync(join(library.folder, 'lib/a.so'), 'ab');
    expect(readLibrary(library.folder)).toBeNull();
  });

  it('does not see a library that was forgotten or whose manifest is damaged', async () => {
    const library = await publish(temporaryFolder());
    writeFileSync(join(library.folder, 'manifest.json'), '{ "format": 1, "fil');
    expect(readLibrary(library.folder)).toBeNull();
    await forgetLibrary(library);
    expect(existsSync(join(library.folder, 'manifest.json'))).toBe(false);
  });
});

describe('brokenFiles', () => {
  it('is announced by the stamp, which changes when somebody writes', async () => {
    const library = await publish(temporaryFolder());
    expect(readLibrary(library.folder)?.stamp).toBe(library.stamp);
    writeFileSync(join(library.folder, 'lib/a.so'), 'abd');
    expect(readLibrary(library.folder)?.stamp).not.toBe(library.stamp);
  });

  it('finds a changed file of the same size, and a missing one', async () => {
    const library = await publish(temporaryFolder());
    expect(await brokenFiles(library)).toEqual([]);
    writeFileSync(join(library.folder, 'lib/a.so'), 'abd');
    expect(readLibrary(library.folder)).not.toBeNull();
    expect(await brokenFiles(library)).toEqual(['lib/a.so']);
  });
});

describe('publishLibrary', () => {
  it('replaces a damaged library', async () => {
    const cache = temporaryFolder();
    const first = await publish(cache);
    writeFileSync(join(first.folder, 'lib/a.so'), 'abd');
    const second = await publish(cache);
    expect(await brokenFiles(second)).toEqual([]);
    expect(second.id).toBe(first.id);
  });
});

describe('withStaging', () => {
  it('leaves nothing behind, also after an error', async () => {
    const cache = temporaryFolder();
    await expect(
      withStaging(cache, (folder) => {
        writeFileSync(join(folder, 'half'), 'x');
        return Promise.reject(new Error('stopped'));
      }),
    ).rejects.toThrow('stopped');
    expect(readdirSync(join(cache, 'staging'))).toEqual([]);
  });

  it("removes what a killed process left and keeps a living process's and another machine's", async () => {
    const cache = temporaryFolder();
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    const names = [
      `${hostname()}-${dead}-abcdef`,
      `${hostname()}-${process.ppid}-abcdef`,
      `elsewhere-${dead}-abcdef`,
    ];
    for (const name of names) mkdirSync(join(cache, 'staging', name), { recursive: true });
    await withStaging(cache, () => Promise.resolve());
    expect(readdirSync(join(cache, 'staging')).sort()).toEqual(names.slice(1).sort());
  });
});

describe('withLock', () => {
  it('lets one in at a time and tells the others that they wait', async () => {
    const folder = temporaryFolder();
    const events: string[] = [];
    const seen = async (event: string): Promise<void> => {
      while (!events.includes(event)) await setTimeout(1);
    };
    const one = (name: string, until?: string) =>
      withLock(folder, { onWait: () => events.push(`${name} waits`) }, async () => {
        events.push(`${name} in`);
        if (until !== undefined) await seen(until);
        events.push(`${name} out`);
      });
    const first = one('a', 'b waits');
    await seen('a in');
    await Promise.all([first, one('b')]);
    expect(events).toEqual(['a in', 'b waits', 'a out', 'b in', 'b out']);
  });

  it('takes over the lock of a killed process after five seconds', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, '.g2d-native.lock'));
    expect(await withLock(folder, {}, () => Promise.resolve('done'))).toBe('done');
  });

  it('stops waiting when it is told to', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, '.g2d-native.lock'));
    const signal = AbortSignal.timeout(100);
    await expect(withLock(folder, { signal }, () => Promise.resolve())).rejects.toThrow(/abort/i);
  });
});

describe('isWritable', () => {
  it.runIf(process.platform === 'linux')('ends below /proc', async () => {
    expect(await isWritable('/proc/g2d/cache')).toBe(false);
  });

  it('makes the folder, and is false where it cannot', async () => {
    const folder = temporaryFolder();
    expect(await isWritable(join(folder, 'new/cache'))).toBe(true);
    expect(readdirSync(join(folder, 'new/cache'))).toEqual([]);
    writeFileSync(join(folder, 'file'), '');
    expect(await isWritable(join(folder, 'file'))).toBe(false);
    chmodSync(folder, 0o555);
    expect(await asOrdinaryUser(() => isWritable(folder))).toBe(false);
  });
});

describe('assertFreeSpace', () => {
  it('stops before a download that the disk cannot hold', async () => {
    const free = () => Promise.resolve(300_000_000);
    await assertFreeSpace('/cache', 300_000_000, free);
    await expect(assertFreeSpace('/cache', 1_200_000_000, free)).rejects.toMatchObject({
      code: 'G2D_NATIVE_DISK_FULL',
      message: expect.stringMatching(/needs 1\.2 GB.*has 0\.3 GB left.*--dir/s),
      details: { availableBytes: 300_000_000 },
    });
  });

  it('asks the real disk', async () => {
    await assertFreeSpace(temporaryFolder(), 1);
    await expect(assertFreeSpace(temporaryFolder(), 1e18)).rejects.toMatchObject({
      code: 'G2D_NATIVE_DISK_FULL',
    });
  });

  it('leaves a readable manifest for people', async () => {
    const library = await publish(temporaryFolder());
    expect(JSON.parse(readFileSync(join(library.folder, 'manifest.json'), 'utf8'))).toMatchObject({
      format: 1,
      variant: 'cpu',
    });
  });
});
