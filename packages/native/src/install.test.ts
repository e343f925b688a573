import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fakeIndex } from '../test/fake-index.js';
import {
  fakeProject,
  temporaryFolder,
  tensorflowContents,
  writeTfjs,
  writeWheel,
} from '../test/fake-wheel.js';
import { readMachO } from '../test/mach-o.js';
import { asOrdinaryUser } from '../test/ordinary-user.js';
import { rightAnswer, rightDifferences } from '../test/right-answer.js';
import { doctor } from './doctor.js';
import type { Host } from './host.js';
import { install, type InstallOptions } from './install.js';
import { findTfjsNode } from './project.js';
import { runCommand, type RunCommand } from './run-command.js';

const linux: Host = { platform: 'linux', arch: 'x64', musl: false };

afterEach(() => {
  vi.unstubAllEnvs();
});

/** What the doctor says of those who can write to a project's library. */
const owners = async (where: { readonly project: string; readonly dir: string }) => {
  const { findings } = await doctor({ ...where, host: linux, run: programs().run });
  return findings.find(({ name }) => name === 'owners');
};

const done = (stdout = '') => ({ code: 0, stdout, stderr: '', startError: null });

/** The real pip; the compiler, npm and the self-test are stood in for, and what was run is counted. */
function programs(change: Partial<Record<'npm' | 'compiler' | 'selfTest', RunCommand>> = {}) {
  const counts = { pip: 0, compiler: 0, selfTest: 0, npm: 0 };
  const run: RunCommand = (command, args, options) => {
    if (args.includes('download')) counts.pip += 1;
    if (args.includes('pip') || /pip3?$/.test(command)) return runCommand(command, args, options);
    if (command.startsWith('npm')) {
      counts.npm += 1;
      if (change.npm) return change.npm(command, args, options);
      writeTfjs(options!.cwd!, args.at(-1)!.replace(/@[\d.]+$/, ''));
      return Promise.resolve(done());
    }
    // The training kernels have tests of their own.
    if (args[0] === '-e' && args[1]!.includes('G2dV'))
      return Promise.resolve(done(JSON.stringify(rightDifferences)));
    if (args.some((arg) => arg.endsWith('g2d-kernels.cc'))) {
      writeFileSync(args[args.indexOf('-o') + 1]!, 'kernels');
      return Promise.resolve(done());
    }
    if (args[0] === '-e') {
      counts.selfTest += 1;
      if (change.selfTest) return change.selfTest(command, args, options);
      return Promise.resolve(done(JSON.stringify({ tensorflow: '9.9.9', ...rightAnswer })));
    }
    const out = args.indexOf('-o');
    if (out >= 0) counts.compiler += 1;
    if (change.compiler) return change.compiler(command, args, options);
    if (out >= 0) writeFileSync(args[out + 1]!, 'an add-on');
    return Promise.resolve(done('fake compiler 1.0\n'));
  };
  return { run, counts };
}

/** A project, an empty cache, and a small wheel that lies in a file and in the only index that pip may ask. */
function surroundings(options: InstallOptions = {}) {
  const index = temporaryFolder();
  const wheel = writeWheel(index);
  vi.stubEnv('PIP_NO_INDEX', '1');
  vi.stubEnv('PIP_FIND_LINKS', index);
  const project = options.project ?? fakeProject();
  const dir = temporaryFolder();
  const asked = { host: linux, version: '9.9.9', project, dir, ...options };
  return { index, project, dir, withPip: asked, request: { wheel, ...asked } };
}

/** Gives the stand-in for tfjs-node-gpu the sources of the real one, for which there is a prebuilt add-on. */
function copyBinding(project: string): void {
  const real = join(findTfjsNode(process.cwd())!.folder, 'binding');
  const folder = join(project, 'node_modules/@tensorflow/tfjs-node-gpu/binding');
  rmSync(folder, { recursive: true });
  cpSync(real, folder, { recursive: true });
}

describe('install', () => {
  it('installs, and changes nothing the second time', async () => {
    const { withPip: request, project, dir } = surroundings();
    const { run, counts } = programs();
    const first = await install({ ...request, run });
    expect(first).toMatchObject({
      status: 'installed',
      backend: 'tensorflow',
      tensorflow: '9.9.9',
      device: 'cpu',
      pinned: false,
    });
    const package_ = join(project, 'node_modules/@tensorflow/tfjs-node-gpu');
    expect(readlinkSync(join(package_, 'deps'))).toBe(join(dir, 'tensorflow-cpu-9.9.9-x64'));
    expect(readFileSync(join(package_, 'deps/lib/libtensorflow_cc.so.2'), 'utf8')).toContain(
      'libtensorflow_cc',
    );
    expect(existsSync(join(package_, 'deps/LICENSE'))).toBe(true);
    expect(existsSync(join(package_, 'deps/tensorflow/python'))).toBe(false);
    // Neither the wheel nor a staging folder is left.
    expect(readdirSync(dir, { recursive: true }).filter((name) => String(name).endsWith('.whl'))).toEqual([]);
    expect(readdirSync(join(dir, 'staging'))).toEqual([]);
    const second = await install({ ...request, run });
    expect(second.status).toBe('unchanged');
    expect(second.seconds).toBeLessThan(2);
    expect(counts).toEqual({ pip: 1, compiler: 1, selfTest: 1, npm: 0 });
  });

  it('needs neither pip nor a compiler where an index is named and the add-on is prebuilt', async () => {
    const { index: folder, project, withPip } = surroundings();
    copyBinding(project);
    const [name] = readdirSync(folder);
    const index = await fakeIndex({ [name!]: readFileSync(join(folder, name!)) });
    vi.stubEnv('G2D_INDEX', index.address);
    const { run, counts } = programs();
    const report = await install({ ...withPip, run });
    expect(report).toMatchObject({ status: 'installed', backend: 'tensorflow' });
    expect(counts).toEqual({ pip: 0, compiler: 0, selfTest: 1, npm: 0 });
    expect((await install({ ...withPip, run })).status).toBe('unchanged');
    expect((await install({ ...withPip, run, build: true })).status).toBe('installed');
    expect(counts).toMatchObject({ pip: 0, compiler: 1 });
    expect(await owners({ project, dir: withPip.dir! })).toMatchObject({ status: 'ok' });
  });

  it('builds an add-on where the prebuilt one does not work, and says so', async () => {
    const { request, project } = surroundings();
    copyBinding(project);
    const binding = join(project, 'node_modules/@tensorflow/tfjs-node-gpu/lib/napi-v8/tfjs_binding.node');
    const { run, counts } = programs({
      selfTest: () =>
        Promise.resolve(
          readFileSync(binding, 'utf8') === 'an add-on'
            ? done(JSON.stringify({ tensorflow: '9.9.9', ...rightAnswer }))
            : { code: 1, stdout: '', stderr: 'Error: wrong ELF class', startError: null },
        ),
    });
    const report = await install({ ...request, run });
    expect(report.status).toBe('installed');
    expect(counts).toMatchObject({ compiler: 1, selfTest: 2 });
    expect(report.notes).toContainEqual(
      expect.stringMatching(/^The prebuilt add-on does not work here .*building it from source$/),
    );
  });

  it('shares the library and the add-on with a second project, without the network', async () => {
    const { request, withPip, dir } = surroundings();
    await install({ ...request, run: programs().run });
    const { run, counts } = programs();
    const report = await install({ ...withPip, run, project: fakeProject() });
    expect(report).toMatchObject({ status: 'installed', library: join(dir, 'tensorflow-cpu-9.9.9-x64') });
    expect(counts).toEqual({ pip: 0, compiler: 0, selfTest: 1, npm: 0 });
  });

  it('does the work once when two start at the same time', async () => {
    const { request, project } = surroundings({ project: fakeProject({ tfjs: false }) });
    const { run, counts } = programs();
    const reports = await Promise.all([install({ ...request, run }), install({ ...request, run })]);
    expect(reports.map(({ backend }) => backend)).toEqual(['tensorflow', 'tensorflow']);
    expect(counts).toMatchObject({ compiler: 1, npm: 1 });
    expect(existsSync(join(project, 'node_modules/.g2d-native.lock'))).toBe(false);
  });

  it('repairs a library that somebody changed, cut short or deleted', async () => {
    const { request, dir } = surroundings();
    await install({ ...request, run: programs().run });
    const file = join(dir, 'tensorflow-cpu-9.9.9-x64/lib/libtensorflow_cc.so.2');
    const right = readFileSync(file, 'utf8');
    for (const damage of [
      () => writeFileSync(file, right.replace('contents', 'CONTENTS')),
      () => truncateSync(file, 3),
      () => rmSync(file),
    ]) {
      damage();
      const { run, counts } = programs();
      const report = await install({ ...request, run });
      expect(report.status).toBe('installed');
      expect(counts).toMatchObject({ compiler: 0, selfTest: 1 });
      expect(readFileSync(file, 'utf8')).toBe(right);
    }
  });

  it('repairs a library whose damage only the self-test shows', async () => {
    const { request, dir } = surroundings();
    await install({ ...request, run: programs().run });
    const file = join(dir, 'tensorflow-cpu-9.9.9-x64/lib/libtensorflow_cc.so.2');
    const right = readFileSync(file, 'utf8');
    writeFileSync(file, right.replace('contents', 'CONTENTS'));
    const { run } = programs({
      selfTest: () =>
        Promise.resolve(
          readFileSync(file, 'utf8') === right
            ? done(
                JSON.stringify({
                  tensorflow: '9.9.9',
                  gpu: false,
                  y: [37, 47, 67, 77],
                  dx: [1, 3, 2, 4, 10, 6, 3, 7, 4],
                  dw: [12, 16, 24, 28],
                }),
              )
            : { code: 1, stdout: '', stderr: 'Error: invalid ELF header', startError: null },
        ),
    });
    const report = await install({ ...request, run, project: fakeProject() });
    expect(report.status).toBe('installed');
    expect(report.notes.join()).toMatch(/damaged \(libtensorflow_cc\.so\.2\); installing it again/);
  });

  it('builds the add-on again when the cached one is damaged', async () => {
    const { request, dir } = surroundings();
    await install({ ...request, run: programs().run });
    const name = readdirSync(join(dir, 'addons')).find((one) => one.startsWith('tfjs-'))!;
    writeFileSync(join(dir, 'addons', name, 'tfjs_binding.node'), 'x');
    const { run, counts } = programs();
    await install({ ...request, run });
    expect(counts).toMatchObject({ pip: 0, compiler: 1 });
  });

  it('does not take a library of the same size for the right one in a project that has not tested it', async () => {
    const { request, dir } = surroundings();
    await install({ ...request, run: programs().run });
    const file = join(dir, 'tensorflow-cpu-9.9.9-x64/lib/libtensorflow_cc.so.2');
    const right = readFileSync(file, 'utf8');
    writeFileSync(file, right.replace('contents', 'CONTENTS'));
    const report = await install({ ...request, run: programs().run, project: fakeProject() });
    expect(report.notes.join()).toMatch(/damaged \(libtensorflow_cc\.so\.2\); installing it again/);
    expect(readFileSync(file, 'utf8')).toBe(right);
  });

  it.each(['the same project', 'another project'])(
    'builds an add-on again that was replaced with its hash: %s',
    async (where) => {
      const { request, dir, project } = surroundings();
      await install({ ...request, run: programs().run });
      const name = readdirSync(join(dir, 'addons')).find((one) => one.startsWith('tfjs-'))!;
      const addon = join(dir, 'addons', name, 'tfjs_binding.node');
      writeFileSync(addon, 'strange');
      writeFileSync(`${addon}.sha256`, createHash('sha256').update('strange').digest('hex'));
      const other = where === 'the same project' ? project : fakeProject();
      const binding = join(other, 'node_modules/@tensorflow/tfjs-node-gpu/lib/napi-v8/tfjs_binding.node');
      const { run, counts } = programs({
        selfTest: () =>
          Promise.resolve(
            readFileSync(binding, 'utf8') === 'strange'
              ? { code: 1, stdout: '', stderr: 'Error: invalid ELF header', startError: null }
              : done(JSON.stringify({ tensorflow: '9.9.9', ...rightAnswer })),
          ),
      });
      const report = await install({ ...request, run, project: other });
      expect(report.notes.join()).toMatch(/not one that was tested here; building it again/);
      expect(counts).toMatchObject({ pip: 0, compiler: 1 });
      for (const file of [addon, binding]) expect(readFileSync(file, 'utf8')).toBe('an add-on');
      // Once: what was built is what was tested.
      expect((await install({ ...request, run, project: other })).status).toBe('unchanged');
    },
  );

  it('closes a cache of ours that others could write, and checks all of it', async () => {
    const { request, dir, project } = surroundings();
    await install({ ...request, run: programs().run });
    const library = join(dir, 'tensorflow-cpu-9.9.9-x64/lib');
    for (const path of [dir, library, join(library, 'libtensorflow_cc.so.2')]) {
      chmodSync(path, 0o777);
      const { run, counts } = programs();
      const report = await install({ ...request, run });
      expect(report.notes.join()).toContain(`${path} could be written by other users`);
      expect(counts).toMatchObject({ compiler: 1, selfTest: 1 });
      expect(statSync(path).mode & 0o777).toBe(0o755);
    }
    const { run } = programs();
    expect(await install({ ...request, run, project })).toMatchObject({ status: 'unchanged', notes: [] });
    expect(await owners({ project, dir })).toMatchObject({ status: 'ok' });
    chmodSync(library, 0o777);
    expect(await owners({ project, dir })).toMatchObject({
      status: 'problem',
      found: `${library} can be written by other users`,
      advice: expect.stringMatching(/^npx g2d-native install closes it/),
    });
  });

  it('leaves nothing that others can write, whatever new files are allowed', async () => {
    const before = process.umask(0);
    try {
      const { request, dir } = surroundings();
      await install({ ...request, dir: join(dir, 'new'), run: programs().run });
      const { run } = programs();
      expect(await install({ ...request, dir: join(dir, 'new'), run })).toMatchObject({
        status: 'unchanged',
      });
    } finally {
      process.umask(before);
    }
  });

  it.runIf(process.geteuid?.() === 0)("does not load what lies in another user's cache", async () => {
    const { request, dir } = surroundings();
    await install({ ...request, run: programs().run });
    chownSync(join(dir, 'addons'), 65534, 65534);
    expect(await owners({ project: request.project, dir })).toMatchObject({
      status: 'problem',
      found: `${join(dir, 'addons')} belongs to another user (number 65534)`,
      advice: expect.stringMatching(/--dir or G2D_CACHE_DIR/),
    });
    await expect(install({ ...request, run: programs().run })).rejects.toMatchObject({
      code: 'G2D_NATIVE_CACHE_NOT_SAFE',
      message: expect.stringMatching(/addons belongs to another user \(number 65534\).*--dir/),
    });
    // The usual one, which nobody chose, is passed by.
    const home = temporaryFolder();
    vi.stubEnv('XDG_CACHE_HOME', home);
    vi.stubEnv('G2D_CACHE_DIR', '');
    const { dir: _, ...usual } = request;
    const project = fakeProject();
    mkdirSync(join(home, 'g2d-native'));
    chownSync(join(home, 'g2d-native'), 65534, 65534);
    const report = await install({ ...usual, project, run: programs().run });
    expect(report.notes.join()).toMatch(/is not safe .*another user.*so this project gets its own/);
    expect(report.library).toContain(join(project, 'node_modules/.cache/g2d-native'));
  });

  it('adds the npm package to a project that lacks it, and says so', async () => {
    const { request } = surroundings({ project: fakeProject({ tfjs: false }) });
    const { run, counts } = programs();
    const report = await install({ ...request, run });
    expect(counts.npm).toBe(1);
    expect(report.notes[0]).toMatch(
      /Adding @tensorflow\/tfjs-node-gpu .* optional dependency, without its install script/,
    );
    const left = programs({ npm: () => Promise.resolve(done()) });
    await expect(
      install({ ...request, run: left.run, project: fakeProject({ tfjs: false }) }),
    ).rejects.toThrow(/omit=optional/);
  });

  it('uses a complete cache that is read-only', async () => {
    const { request, dir } = surroundings();
    await install({ ...request, run: programs().run });
    const project = fakeProject();
    for (const folder of [project, join(project, 'node_modules/@tensorflow/tfjs-node-gpu')])
      chmodSync(folder, 0o777);
    chmodSync(dir, 0o555);
    chmodSync(join(dir, 'staging'), 0o555);
    const { run, counts } = programs();
    const report = await asOrdinaryUser(() => install({ ...request, run, project }));
    expect(report.status).toBe('installed');
    expect(counts).toMatchObject({ pip: 0, compiler: 0, selfTest: 1 });
    chmodSync(dir, 0o755);
  });

  it('refuses a chosen cache that is read-only and empty', async () => {
    const { request, dir } = surroundings();
    chmodSync(dir, 0o555);
    await expect(asOrdinaryUser(() => install({ ...request, run: programs().run }))).rejects.toMatchObject({
      code: 'G2D_NATIVE_CACHE_NOT_WRITABLE',
      message: expect.stringContaining(dir),
    });
  });

  it("makes a cache inside the project when the user's own cannot be written", async () => {
    const { project, request: asked } = surroundings();
    const { dir: _none, ...request } = asked;
    const home = temporaryFolder();
    chmodSync(home, 0o555);
    vi.stubEnv('G2D_CACHE_DIR', '');
    vi.stubEnv('XDG_CACHE_HOME', home);
    const modules = join(project, 'node_modules');
    for (const folder of [modules, join(modules, '@tensorflow/tfjs-node-gpu')]) chmodSync(folder, 0o777);
    const { run } = programs();
    const report = await asOrdinaryUser(() => install({ ...request, run }));
    expect(report.library).toBe(join(modules, '.cache/g2d-native/tensorflow-cpu-9.9.9-x64'));
    expect(report.notes.join()).toMatch(/cannot be written, so this project gets its own/);
  });

  it('says whose folder it is when the project cannot be written', async () => {
    const { request, project } = surroundings({ project: fakeProject({ tfjs: false }) });
    chmodSync(project, 0o555);
    await expect(asOrdinaryUser(() => install({ ...request, run: programs().run }))).rejects.toMatchObject({
      code: 'G2D_NATIVE_PROJECT_NOT_WRITABLE',
    });
  });

  it('stops before the download when the disk is too small', async () => {
    const { withPip: request } = surroundings();
    const { run, counts } = programs();
    const freeBytes = () => Promise.resolve(1_000_000);
    await expect(install({ ...request, run, freeBytes })).rejects.toMatchObject({
      code: 'G2D_NATIVE_DISK_FULL',
    });
    expect(counts.pip).toBe(0);
  });

  it('stops cleanly when it is interrupted, and the next call starts over', async () => {
    const { request, dir } = surroundings();
    const controller = new AbortController();
    const stopping = programs({
      compiler: (_command, args) => {
        if (args.includes('-o')) controller.abort();
        return Promise.resolve(done('fake compiler 1.0\n'));
      },
    });
    await expect(install({ ...request, run: stopping.run, signal: controller.signal })).rejects.toMatchObject(
      {
        code: 'G2D_NATIVE_INTERRUPTED',
      },
    );
    expect(readdirSync(join(dir, 'staging'))).toEqual([]);
    const { run, counts } = programs();
    expect((await install({ ...request, run })).status).toBe('installed');
    expect(counts).toMatchObject({ pip: 0, compiler: 1 });
  });

  it('takes a wheel from a file', async () => {
    const { request, index } = surroundings();
    const wheel = writeWheel(index);
    const { run, counts } = programs();
    expect((await install({ ...request, run, wheel })).status).toBe('installed');
    expect(counts.pip).toBe(0);
    expect(existsSync(wheel)).toBe(true);
  });

  it('refuses a file that is missing, has the wrong hash, is cut short or holds something else', async () => {
    const { withPip, index } = surroundings();
    const { run } = programs();
    const wheel = writeWheel(index);
    const failure = (options: InstallOptions) =>
      install({ ...withPip, run, ...options }).then(
        () => 'no error',
        (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
      );
    expect(await failure({ wheel: '/no/such.whl' })).toMatch(/there is no such file/);
    expect(await failure({ wheel, version: '2.21.0' })).toMatch(
      /^G2D_NATIVE_WRONG_HASH: .*SHA-256 should be 2b847d21.*Download it again/,
    );
    expect(await failure({ wheel, version: '9.9.8' })).toMatch(
      /should contain tensorflow-cpu 9\.9\.8, but it contains tensorflow-cpu 9\.9\.9/,
    );
    truncateSync(wheel, 1_000);
    expect(await failure({ wheel })).toMatch(/^G2D_NATIVE_WHEEL_BROKEN/);
  });

  it("puts NVIDIA's libraries where the CUDA build searches them", async () => {
    const { withPip: request, index } = surroundings({ variant: 'gpu' });
    const metadata =
      'Requires-Dist: nvidia-cublas-cu12<13.0,>=12.5.3.2; extra == "and-cuda"\n' +
      'Requires-Dist: nvidia-cusolver-cu12<12.0,>=11.6.3.83; extra == "and-cuda"\n';
    writeWheel(index, { name: 'tensorflow', metadata });
    writeWheel(index, {
      name: 'nvidia-cusolver-cu12',
      version: '11.6.3.83',
      files: { 'nvidia/cusolver/lib/libcusolver.so.11': 'cusolver' },
    });
    writeWheel(index, {
      name: 'nvidia-cublas-cu12',
      version: '12.5.3.2',
      files: { 'nvidia/cublas/lib/libcublas.so.12': 'cublas', 'nvidia/cublas/include/cublas.h': 'header' },
    });
    const { run } = programs();
    const report = await install({ ...request, run });
    expect(report).toMatchObject({ variant: 'gpu', device: 'cpu' });
    expect(readFileSync(join(report.library!, 'nvidia/cublas/lib/libcublas.so.12'), 'utf8')).toBe('cublas');
    expect(existsSync(join(report.library!, 'nvidia/cublas/include'))).toBe(false);
    // TensorFlow's search path has no folder of its name.
    expect(readFileSync(join(report.library!, 'nvidia/cusparse/lib/libcusolver.so.11'), 'utf8')).toBe(
      'cusolver',
    );
    expect(report.notes.join()).toMatch(/found no GPU that it can use/);
  });
});

describe('install on macOS arm64, where nobody has tried it', () => {
  const mac: Host = { platform: 'darwin', arch: 'arm64', musl: false };
  const died = { code: null, stdout: '', stderr: '', startError: null };
  const right = done(JSON.stringify({ tensorflow: '9.9.9', ...rightAnswer }));

  /** {@link surroundings} with a wheel for it, and the sources for which there is a prebuilt add-on. */
  function onMac(options: InstallOptions = {}) {
    const around = surroundings({ host: mac, ...options });
    const wheel = writeWheel(
      around.index,
      { name: 'tensorflow', files: tensorflowContents('darwin') },
      'macosx_12_0_arm64',
    );
    copyBinding(around.project);
    const package_ = join(around.project, 'node_modules/@tensorflow/tfjs-node-gpu');
    const binding = join(package_, 'lib/napi-v8/tfjs_binding.node');
    return { ...around, wheel, package_, binding, request: { ...around.withPip, wheel } };
  }

  it('takes its wheel, of it what is needed, and what is prebuilt for it', async () => {
    const { withPip, index: folder, dir, package_, binding } = onMac();
    const wheels = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))] as const);
    const index = await fakeIndex(Object.fromEntries(wheels));
    vi.stubEnv('G2D_INDEX', index.address);
    const { run, counts } = programs();
    const report = await install({ ...withPip, run });
    expect(report).toMatchObject({ status: 'installed', backend: 'tensorflow', variant: 'cpu' });
    expect(counts).toEqual({ pip: 0, compiler: 0, selfTest: 1, npm: 0 });
    expect(index.requests.join()).not.toContain('manylinux');
    expect(readlinkSync(join(package_, 'deps'))).toBe(join(dir, 'tensorflow-cpu-9.9.9-darwin-arm64'));
    expect(readdirSync(join(package_, 'deps/lib')).sort()).toEqual([
      'libtensorflow_cc.2.dylib',
      'libtensorflow_framework.2.dylib',
    ]);
    for (const file of [binding, join(dirname(binding), 'g2d_kernels.node')])
      expect(readMachO(readFileSync(file))).toMatchObject({ cpu: 'arm64', isSigned: true });
    expect(report.notes).toContainEqual(
      'TensorFlow for macOS arm64 was never tried by those who made this; it passed its test here',
    );
    expect(await install({ ...withPip, run })).toMatchObject({ status: 'unchanged', notes: [] });
  });

  it('is told apart from the library for Linux in a cache that both use', async () => {
    const { request, dir } = onMac();
    await install({ ...request, run: programs().run });
    const onLinux = surroundings({ dir });
    await install({ ...onLinux.request, run: programs().run });
    expect(readdirSync(dir).filter((name) => name.startsWith('tensorflow'))).toEqual([
      'tensorflow-cpu-9.9.9-darwin-arm64',
      'tensorflow-cpu-9.9.9-x64',
    ]);
  });

  it.each([
    ['without a compiler', () => Promise.resolve({ ...died, code: 1 })],
    [
      'with a compiler that does not understand it',
      (_: string, args: readonly string[]) =>
        Promise.resolve(
          args.includes('-o') ? { ...died, code: 1, stderr: 'ld: error: unknown' } : done('cc 1\n'),
        ),
    ],
    ['with what a compiler has built', undefined],
  ])('takes out what dies in the self-test and says what is done instead: %s', async (_, compiler) => {
    const { request, package_, binding } = onMac();
    const { run, counts } = programs({
      selfTest: () => Promise.resolve(died),
      npm: () => Promise.resolve({ ...died, code: 1, stderr: 'npm error tfjs-node has no such file' }),
      ...(compiler ? { compiler } : {}),
    });
    const report = await install({ ...request, run });
    expect(report).toMatchObject({ status: 'fallback', backend: 'wasm', package: null });
    expect(report.notes.at(-1)).toMatch(
      /^TensorFlow for macOS arm64 was never tried by those who made this, and does not work here \(.+\), nor does tfjs-node's own installation \(.+\): loadTensorFlow\(\) uses WebAssembly$/,
    );
    expect(existsSync(binding) || existsSync(join(package_, 'deps'))).toBe(false);
    expect(existsSync(join(package_, 'binding'))).toBe(true);
    expect(counts.npm).toBe(1);
  });

  it("uses tfjs-node's own installation where that works", async () => {
    const { request, project } = onMac();
    const { run } = programs({
      selfTest: (_, args) => Promise.resolve(args[1]!.includes('tfjs-node-gpu') ? died : right),
      compiler: () => Promise.resolve({ ...died, code: 1 }),
      npm: () => {
        mkdirSync(join(writeTfjs(project, '@tensorflow/tfjs-node'), 'deps'));
        return Promise.resolve(done());
      },
    });
    const report = await install({ ...request, run });
    expect(report).toMatchObject({
      status: 'own-installation',
      backend: 'tensorflow',
      package: join(project, 'node_modules/@tensorflow/tfjs-node'),
    });
    expect(report.notes.at(-1)).toMatch(
      /macOS arm64 was never tried .*does not work here \(.+the process died\): tfjs-node's own installation is used in its place$/,
    );
  });

  it('goes on without an index and without pip, as before', async () => {
    const { withPip, project } = onMac();
    vi.stubEnv('PIP_CONFIG_FILE', '/dev/null');
    for (const name of ['G2D_INDEX', 'PIP_INDEX_URL', 'UV_DEFAULT_INDEX', 'UV_INDEX_URL'])
      vi.stubEnv(name, '');
    vi.stubEnv('HOME', project);
    const report = await install({
      ...withPip,
      run: (command) => Promise.resolve({ ...died, code: 1, startError: `${command}: ENOENT` }),
    });
    expect(report).toMatchObject({ status: 'fallback', backend: 'wasm' });
    expect(report.notes.at(-1)).toMatch(/never tried .*: loadTensorFlow\(\) uses WebAssembly$/);
  });

  it('keeps what works when something else cannot be had', async () => {
    const { request, withPip, binding } = onMac();
    const { run } = programs();
    await install({ ...request, run });
    await expect(install({ ...withPip, version: '9.9.8', run })).rejects.toMatchObject({
      code: 'G2D_NATIVE_NO_SUCH_WHEEL',
    });
    expect(existsSync(binding)).toBe(true);
    expect(await install({ ...request, run })).toMatchObject({ status: 'unchanged' });
  });

  it('does not go on without a word when a file is not the expected one, or for --gpu', async () => {
    const { request, wheel } = onMac();
    const { run } = programs();
    await expect(install({ ...request, version: '2.21.0', wheel, run })).rejects.toThrow(
      /is not the wheel of tensorflow 2\.21\.0 for macOS arm64.*SHA-256 should be 51f46f48/,
    );
    await expect(install({ ...request, variant: 'gpu', run })).rejects.toMatchObject({
      code: 'G2D_NATIVE_UNSUPPORTED_PLATFORM',
      message: expect.stringMatching(/wheels for macOS arm64 contain no CUDA, so --gpu needs Linux x64/),
    });
  });
});

describe('install on other platforms', () => {
  const mac: Host = { platform: 'darwin', arch: 'x64', musl: false };
  const right = { tensorflow: '2.9.1', ...rightAnswer };

  it("uses tfjs-node's own installer", async () => {
    const calls: string[] = [];
    const { run } = programs({
      npm: (command, args, options) => {
        calls.push([command, ...args].join(' '));
        writeTfjs(options!.cwd!, '@tensorflow/tfjs-node');
        return Promise.resolve(done());
      },
      selfTest: () => Promise.resolve(done(JSON.stringify(right))),
    });
    const report = await install({ host: mac, project: fakeProject({ tfjs: false }), run });
    expect(report).toMatchObject({ status: 'own-installation', backend: 'tensorflow', tensorflow: '2.9.1' });
    expect(calls[0]).toContain('--ignore-scripts=false');
    expect(report.notes[0]).toMatch(
      /no usable TensorFlow wheel for macOS x64: using tfjs-node's own installer/,
    );
  });

  it('falls back to WebAssembly where that fails too, and says so', async () => {
    const { run } = programs({ npm: () => Promise.resolve(done()) });
    const report = await install({ host: mac, project: fakeProject({ tfjs: false }), run });
    expect(report).toMatchObject({ status: 'fallback', backend: 'wasm' });
    expect(report.notes.at(-1)).toMatch(/own installation does not work here .*uses WebAssembly/);
  });

  it('runs nothing on musl', async () => {
    const { run, counts } = programs();
    const report = await install({ host: { ...linux, musl: true }, project: fakeProject(), run });
    expect(report).toMatchObject({ status: 'fallback', backend: 'wasm' });
    expect(report.notes[0]).toMatch(/needs glibc/);
    expect(counts).toEqual({ pip: 0, compiler: 0, selfTest: 0, npm: 0 });
  });

  it('refuses --gpu', async () => {
    await expect(
      install({
        host: { platform: 'win32', arch: 'x64', musl: false },
        variant: 'gpu',
        project: fakeProject(),
      }),
    ).rejects.toThrow(/--gpu needs Linux x64 with glibc, but this is Windows x64/);
  });
});
