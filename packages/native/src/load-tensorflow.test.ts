import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as core from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, expectTypeOf, it, vi } from 'vitest';
import { fakeProject, temporaryFolder, writeTfjs } from '../test/fake-wheel.js';
import type { Host } from './host.js';
import { describeRuntime, load, loadTensorFlow, runtimeInfo, type LoadOptions } from './load-tensorflow.js';

const here = dirname(fileURLToPath(import.meta.url));
const linux: Host = { platform: 'linux', arch: 'x64', musl: false };
const stateKey = Symbol.for('@g2d/native.runtime');

/** Loads as in a new process, with the given folders to find packages in; gives the printed lines. */
async function fresh(
  options: LoadOptions,
  change: { env?: NodeJS.ProcessEnv; host?: Host; folders?: string[] } = {},
) {
  const state = (globalThis as unknown as Record<symbol, { loaded?: unknown }>)[stateKey]!;
  delete state.loaded;
  const lines: string[] = [];
  const tf = await load(options, {
    env: {},
    host: linux,
    folders: [process.cwd(), here],
    print: (line) => lines.push(line),
    ...change,
  });
  return { tf, lines, info: runtimeInfo()! };
}

/** A folder with TensorFlow.js but without a TensorFlow, wherever the tests run. */
function withoutTensorFlow(): string {
  const project = fakeProject({ tfjs: false });
  const tfjs = join(project, 'node_modules/@tensorflow/tfjs');
  mkdirSync(tfjs, { recursive: true });
  const real = join(process.cwd(), 'node_modules/@tensorflow/tfjs');
  writeFileSync(join(tfjs, 'index.js'), `module.exports = require(${JSON.stringify(real)});`);
  return project;
}

/** The same with tfjs-node in it, whose add-on is none. */
function withBrokenAddon() {
  const project = withoutTensorFlow();
  const folder = writeTfjs(project);
  const lib = join(folder, 'lib/napi-v8');
  mkdirSync(lib, { recursive: true });
  writeFileSync(join(lib, 'tfjs_binding.node'), 'not an add-on');
  writeFileSync(join(folder, 'index.js'), "require('./lib/napi-v8/tfjs_binding.node');");
  return { project, folder, lib };
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('loadTensorFlow', () => {
  it('takes the TensorFlow library, and every import of TensorFlow.js sees it', async () => {
    const { tf, lines, info } = await fresh({});
    expect(tf.getBackend()).toBe('tensorflow');
    expect(core.getBackend()).toBe('tensorflow');
    expect(core.engine()).toBe(tf.engine());
    const x = core.variable(core.tensor1d([1, 2]));
    const { value, grads } = core.variableGrads(() => core.sum(core.mul(x, x)));
    expect(value.dataSync()[0]).toBe(5);
    expect([...Object.values(grads)[0]!.dataSync()]).toEqual([2, 4]);
    expect(info).toMatchObject({ backend: 'tensorflow', tfjs: '4.22.0', node: process.versions.node });
    expect(info.tensorflow).toMatch(/^2\.\d+\.\d+$/);
    expect(lines).toEqual([describeRuntime(info)]);
    expect(lines[0]).toMatch(
      /^g2d: backend tensorflow \(TensorFlow 2\.\d+\.\d+, [CG]PU\), because it is the fastest one present$/,
    );
  });

  it('returns the same the second time and prints nothing', async () => {
    const tf = await loadTensorFlow();
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    expect(await loadTensorFlow()).toBe(tf);
    expect(write).not.toHaveBeenCalled();
    write.mockRestore();
  });

  it('falls back to WebAssembly and says why and what to do', async () => {
    const { tf, lines, info } = await fresh({}, { folders: [withoutTensorFlow()] });
    expect(info).toMatchObject({ backend: 'wasm', device: 'cpu', tensorflow: null });
    expect([...tf.square(tf.tensor1d([3])).dataSync()]).toEqual([9]);
    expect(lines).toEqual([
      'g2d: backend wasm, because TensorFlow is not installed; npx g2d-native install makes training several times as fast',
    ]);
  });

  it('falls back when the add-on does not load or the cached library is gone', async () => {
    const { project, lib } = withBrokenAddon();
    const broken = await fresh({}, { folders: [project] });
    expect(broken.info.backend).toBe('wasm');
    expect(broken.lines[0]).toMatch(
      /TensorFlow is installed but does not load \(.*\); npx g2d-native install repairs it$/,
    );
    writeFileSync(join(lib, 'g2d-native.json'), '{ "format": 1 }');
    const gone = await fresh({}, { folders: [project] });
    expect(gone.lines[0]).toMatch(
      /the cached TensorFlow library is gone or incomplete; npx g2d-native install repairs it$/,
    );
  });

  it('has the CUDA build take the memory of a GPU as it is needed, unless somebody says otherwise', async () => {
    const { project, folder, lib } = withBrokenAddon();
    mkdirSync(join(folder, 'deps'));
    writeFileSync(join(folder, 'deps/library'), '');
    writeFileSync(
      join(folder, 'deps/manifest.json'),
      '{ "format": 1, "files": [{ "path": "library", "bytes": 0 }] }',
    );
    const growth = async (variant: string, env: NodeJS.ProcessEnv = {}) => {
      writeFileSync(join(lib, 'g2d-native.json'), JSON.stringify({ format: 1, variant }));
      const { lines } = await fresh({}, { env, folders: [project] });
      expect(lines[0]).toMatch(/TensorFlow is installed but does not load/);
      return env['TF_FORCE_GPU_ALLOW_GROWTH'];
    };
    expect(await growth('gpu')).toBe('true');
    expect(await growth('gpu', { TF_FORCE_GPU_ALLOW_GROWTH: 'false' })).toBe('false');
    expect(await growth('cpu')).toBeUndefined();
  });

  it('names the platform where there is no wheel', async () => {
    const host = { platform: 'darwin', arch: 'x64', musl: false };
    const { lines } = await fresh({}, { host, folders: [withoutTensorFlow()] });
    expect(lines[0]).toMatch(
      /backend wasm, because TensorFlow is not installed; there is no usable TensorFlow wheel for macOS x64$/,
    );
    const untried = await fresh({}, { host: { ...host, arch: 'arm64' }, folders: [withoutTensorFlow()] });
    expect(untried.lines[0]).toMatch(
      /backend wasm, because TensorFlow is not installed; npx g2d-native install tests it, which was never tried on macOS arm64$/,
    );
  });

  it('is forced by G2D_BACKEND, which goes before the option', async () => {
    for (const backend of ['wasm', 'cpu', 'tensorflow'] as const) {
      const { tf, lines } = await fresh({ backend: 'tensorflow' }, { env: { G2D_BACKEND: backend } });
      expect(tf.getBackend()).toBe(backend);
      expect([...tf.add(tf.tensor1d([1]), 1).dataSync()]).toEqual([2]);
      expect(lines[0]).toMatch(/because G2D_BACKEND asks for it$/);
    }
    expect((await fresh({ backend: 'cpu' })).info.reason).toBe('the option `backend` asks for it');
  });

  it('is typed as TensorFlow.js, with the backends by name', () => {
    expectTypeOf(loadTensorFlow).returns.resolves.toEqualTypeOf<typeof import('@tensorflow/tfjs')>();
    expectTypeOf<LoadOptions['backend']>().toEqualTypeOf<'tensorflow' | 'wasm' | 'cpu' | undefined>();
  });

  it('keeps still on request', async () => {
    expect((await fresh({ backend: 'cpu', quiet: true })).lines).toEqual([]);
  });

  it('fails when what was forced is not there, and says what to do', async () => {
    await expect(
      fresh({}, { env: { G2D_BACKEND: 'tensorflow' }, folders: [withoutTensorFlow()] }),
    ).rejects.toMatchObject({
      code: 'G2D_NATIVE_BACKEND_MISSING',
      message: expect.stringMatching(
        /G2D_BACKEND asks for .* tensorflow, but TensorFlow is not installed.*npx g2d-native install/,
      ),
    });
    await expect(fresh({}, { folders: [temporaryFolder()] })).rejects.toThrow(
      /npm install @tensorflow\/tfjs/,
    );
  });

  it('lists the backends for a name that is none', async () => {
    await expect(fresh({}, { env: { G2D_BACKEND: 'webgl' } })).rejects.toMatchObject({
      code: 'G2D_NATIVE_OPTION',
      message: expect.stringContaining('It can be tensorflow, wasm, cpu'),
    });
  });

  it('works in a process of its own, with the log level set before the library loads', () => {
    const program = join(temporaryFolder(), 'program.mts');
    writeFileSync(
      program,
      `import { loadTensorFlow, runtimeInfo } from ${JSON.stringify(join(here, 'index.ts'))};
       console.log(runtimeInfo()); await loadTensorFlow(); console.log(runtimeInfo().backend);`,
    );
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), program],
      {
        encoding: 'utf8',
        env: { ...process.env, G2D_BACKEND: '' },
      },
    );
    expect(stdout).toBe('null\ntensorflow\n');
    expect(stderr).toMatch(/^g2d: backend tensorflow/m);
    expect(stderr).not.toMatch(/cpu_feature_guard/);
  });
});
