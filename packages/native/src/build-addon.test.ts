import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fakeProject, temporaryFolder } from '../test/fake-wheel.js';
import { buildAddon, findCompiler, planAddon, readAddon } from './build-addon.js';
import type { Library } from './cache.js';
import { kernelArguments } from './kernels.js';
import { findTfjsNode } from './project.js';
import type { RunCommand } from './run-command.js';

const tfjs = () => findTfjsNode(fakeProject())!;

function library(change: Partial<Library['manifest']> = {}): Library {
  const folder = temporaryFolder();
  const manifest = {
    format: 1,
    distribution: 'tensorflow-cpu',
    version: '9.9.9',
    variant: 'cpu',
    arch: 'x64',
    wheelSha256: null,
    files: [],
    ...change,
  } as const;
  return { folder, manifest, id: 'id', stamp: 'stamp' };
}

/** Answers `--version` and otherwise writes what it was asked for. */
const compiler: RunCommand = (_command, args) => {
  const out = args.indexOf('-o');
  if (out >= 0) writeFileSync(args[out + 1]!, 'an add-on');
  return Promise.resolve({ code: 0, stdout: 'fake compiler 1.0\n', stderr: '', startError: null });
};

describe('planAddon', () => {
  it('changes with the sources, so that an add-on is reused only for what it was built from', async () => {
    const package_ = tfjs();
    const first = (await planAddon('/cache', package_, library())).file;
    expect(first).toMatch(
      /^\/cache\/addons\/tfjs-4\.22\.0-tensorflow-9\.9\.9-x64-[0-9a-f]{12}\/tfjs_binding\.node$/,
    );
    expect((await planAddon('/cache', package_, library())).file).toBe(first);
    appendFileSync(join(package_.folder, 'binding/tfjs_binding.cc'), '// changed');
    expect((await planAddon('/cache', package_, library())).file).not.toBe(first);
  });

  it('has another place for each system', async () => {
    const mac = library({ platform: 'darwin', arch: 'arm64' });
    expect((await planAddon('/cache', tfjs(), mac)).file).toMatch(
      /^\/cache\/addons\/tfjs-4\.22\.0-tensorflow-9\.9\.9-darwin-arm64-[0-9a-f]{12}\/tfjs_binding\.node$/,
    );
  });
});

describe('findCompiler', () => {
  it('prefers $CXX and is null without any', async () => {
    const mine = join(temporaryFolder(), 'my-c++');
    writeFileSync(mine, '#!/bin/sh\necho "my compiler 1.0"\n');
    chmodSync(mine, 0o755);
    expect(await findCompiler({ PATH: '', CXX: mine })).toEqual({
      command: mine,
      version: 'my compiler 1.0',
    });
    expect(await findCompiler({ PATH: temporaryFolder() })).toBeNull();
  });
});

describe('buildAddon', () => {
  const request = (cache = temporaryFolder()) => ({
    cache,
    file: join(cache, 'addons/x/tfjs_binding.node'),
    tfjs: tfjs(),
    library: library(),
  });

  it('builds into the cache and is found there again', async () => {
    const asked = request();
    let flags: readonly string[] = [];
    const built = await buildAddon({
      ...asked,
      run: (command, args, options) => {
        flags = args;
        return compiler(command, args, options);
      },
    });
    expect(readFileSync(asked.file, 'utf8')).toBe('an add-on');
    expect(flags).toContain('-DTFE_NewContext=g2d_new_context');
    expect(flags.filter((flag) => flag.endsWith('/hook/join-cluster.cc') && existsSync(flag))).toHaveLength(
      1,
    );
    expect(await readAddon(asked.file)).toEqual(built);
  });

  it("uses for macOS what Apple's compiler and linker know", async () => {
    const mac = { ...request(), library: library({ platform: 'darwin', arch: 'arm64' }) };
    let flags: readonly string[] = [];
    await buildAddon({
      ...mac,
      run: (command, args, options) => {
        flags = args;
        return compiler(command, args, options);
      },
    });
    expect(flags).toEqual(
      expect.arrayContaining([
        '-Wl,-undefined,dynamic_lookup',
        '-Wl,-rpath,@loader_path/../../deps/lib',
        join(mac.library.folder, 'lib/libtensorflow_cc.2.dylib'),
        join(mac.library.folder, 'lib/libtensorflow_framework.2.dylib'),
      ]),
    );
    const ofLinux = /-l:|-Wl,-z|ORIGIN|rpath-link|shlib|^-s$/;
    for (const flag of [...flags, ...kernelArguments('darwin')]) expect(flag).not.toMatch(ofLinux);
    expect(kernelArguments('linux').some((flag) => ofLinux.test(flag))).toBe(true);
  });

  it('does not use an add-on that was changed', async () => {
    const asked = request();
    await buildAddon({ ...asked, run: compiler });
    writeFileSync(asked.file, 'other bytes');
    expect(await readAddon(asked.file)).toBeNull();
  });

  it('names the packages to install when there is no compiler', async () => {
    await expect(buildAddon({ ...request(), env: { PATH: temporaryFolder() } })).rejects.toMatchObject({
      code: 'G2D_NATIVE_NO_COMPILER',
      message: expect.stringMatching(/apt install g\+\+.*dnf install gcc-c\+\+/s),
    });
  });

  it("shows the real compiler's first error and leaves nothing behind", async () => {
    const asked = request();
    writeFileSync(join(asked.tfjs.folder, 'binding/tfjs_backend.cc'), '#include "not_there.h"\n');
    mkdirSync(join(asked.library.folder, 'lib'));
    await expect(buildAddon(asked)).rejects.toMatchObject({
      code: 'G2D_NATIVE_COMPILER_FAILED',
      message: expect.stringContaining('not_there.h'),
    });
    expect(existsSync(asked.file)).toBe(false);
  });
});
