import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from '../test/fake-wheel.js';
import { gpuFindings, type GpuSituation } from './gpu-findings.js';
import type { RunCommand } from './run-command.js';

// Where TensorFlow 2.21.0 found them, with LD_DEBUG=libs: not taken from the code.
const cuda12 = {
  cuda_runtime: ['libcudart.so.12'],
  cublas: ['libcublas.so.12', 'libcublasLt.so.12'],
  cudnn: ['libcudnn.so.9'],
  cufft: ['libcufft.so.11'],
  cusparse: ['libcusparse.so.12', 'libcusolver.so.11'],
  nccl: ['libnccl.so.2'],
  cuda_cupti: ['libcupti.so.12'],
};

/** A library's folder with NVIDIA's libraries in it, but for some. */
function cudaBuild(without: readonly string[] = []) {
  const folder = temporaryFolder();
  for (const [part, files] of Object.entries(cuda12)) {
    const lib = join(folder, 'nvidia', part, 'lib');
    mkdirSync(lib, { recursive: true });
    for (const file of files.filter((one) => !without.includes(one))) writeFileSync(join(lib, file), '');
  }
  return { variant: 'gpu', folder } as const;
}

/** A loader that knows these files; the driver's libraries of 32 bits are there always. */
const loader =
  (...files: string[]): RunCommand =>
  (command) =>
    Promise.resolve({
      code: command === 'ldconfig' ? 0 : null,
      stdout:
        "2 libs found in cache `/etc/ld.so.cache'\n\tlibcuda.so.1 (libc6) => /lib/i386-linux-gnu/libcuda.so.1\n" +
        files.map((file) => `\t${file} (libc6,x86-64) => /lib/x86_64-linux-gnu/${file}\n`).join(''),
      stderr: '',
      startError: null,
    });
const noLoader: RunCommand = () =>
  Promise.resolve({ code: null, stdout: '', stderr: '', startError: 'ENOENT' });

/** A machine with a GPU and a CUDA build that uses it, but for what is given. */
const look = (change: Partial<GpuSituation> = {}) =>
  gpuFindings({
    host: { platform: 'linux', arch: 'x64', musl: false },
    env: {},
    run: loader('libcuda.so.1'),
    library: change.library === undefined ? cudaBuild() : change.library,
    driver: '550.54.15',
    device: 'cpu',
    messages: () => Promise.resolve(''),
    ...change,
  });

const driver = async (change: Partial<GpuSituation>) =>
  (await look(change)).find(({ name }) => name === 'nvidia driver')!;
const libraries = async (change: Partial<GpuSituation>) =>
  (await look(change)).find(({ name }) => name === 'gpu libraries')!;

describe('gpuFindings', () => {
  it('finds nothing wrong where the GPU computes, and does not ask TensorFlow', async () => {
    const messages = vi.fn<GpuSituation['messages']>();
    expect(await look({ device: 'gpu', messages })).toEqual([
      { name: 'nvidia driver', status: 'ok', found: '550.54.15' },
      { name: 'gpu libraries', status: 'ok', found: "NVIDIA's for CUDA 12 are where TensorFlow looks" },
    ]);
    expect(messages).not.toHaveBeenCalled();
    // As under WSL.
    expect(await driver({ device: 'gpu', driver: null, run: noLoader })).toMatchObject({ status: 'ok' });
  });

  it('offers no CUDA build where there is none', async () => {
    const host = { platform: 'linux', arch: 'arm64', musl: false } as const;
    expect(await look({ host, library: { variant: 'cpu', folder: '/nowhere' } })).toEqual([
      {
        name: 'nvidia driver',
        status: 'ok',
        found: '550.54.15, but there is no CUDA build for Linux arm64: the processor computes',
      },
    ]);
  });

  it('says nothing of a GPU to those who have the CPU build, but where a driver is', async () => {
    const run = vi.fn<RunCommand>();
    const env = { CUDA_VISIBLE_DEVICES: '' };
    for (const library of [null, { variant: 'cpu', folder: '/nowhere' } as const]) {
      expect(await look({ library, env, run, driver: null })).toEqual([
        { name: 'nvidia driver', status: 'ok', found: 'none: the processor computes' },
      ]);
      expect(await look({ library, env, run })).toEqual([
        {
          name: 'nvidia driver',
          status: 'note',
          found: '550.54.15',
          advice: 'npx g2d-native install --gpu takes the CUDA build',
        },
      ]);
    }
    expect(run).not.toHaveBeenCalled();
    const mac = { platform: 'darwin', arch: 'arm64', musl: false };
    expect(await look({ host: mac, library: null, driver: null })).toEqual([]);
  });

  it('names the driver where it is what the CUDA build lacks', async () => {
    expect(await driver({ driver: null })).toEqual({
      name: 'nvidia driver',
      status: 'note',
      found:
        'none, which the CUDA build wants: the processor computes, without the training kernels of the CPU build',
      advice:
        "Install NVIDIA's driver, 525.60.13 or newer (one for CUDA 13 runs programs of CUDA 12); where there is no GPU, " +
        'npx g2d-native install takes the CPU build',
    });
  });

  it('names both versions where the driver is too old', async () => {
    for (const old of ['470.82.01', '525.60.11']) {
      expect(await driver({ driver: old })).toEqual({
        name: 'nvidia driver',
        status: 'note',
        found: `${old}, but programs of CUDA 12, as TensorFlow, want 525.60.13 or newer`,
        advice: "Install NVIDIA's driver 525.60.13 or newer; one for CUDA 13 runs programs of CUDA 12",
      });
    }
    for (const enough of ['525.60.13', '525.105.17', '580.65.06', 'unknown version'])
      expect(await driver({ driver: enough })).toMatchObject({ status: 'ok', found: enough });
  });

  it('sees a container that has the driver of its machine, but not its library', async () => {
    const library = cudaBuild();
    expect(await driver({ library, run: loader() })).toEqual({
      name: 'nvidia driver',
      status: 'note',
      found: `550.54.15 is loaded, but its library libcuda.so.1 is not in ${join(library.folder, 'nvidia')}, the loader's cache`,
      advice: expect.stringMatching(/docker run --gpus all/),
    });
    // Nobody knows where the loader looks.
    expect(await driver({ run: noLoader })).toMatchObject({ status: 'ok' });
  });

  it('says which GPUs are chosen, and when none is', async () => {
    const choice = async (value: string) =>
      (await look({ env: { CUDA_VISIBLE_DEVICES: value } })).find(({ name }) => name === 'gpu choice');
    for (const none of ['', ' ', '-1', '-1,0']) {
      expect(await choice(none)).toEqual({
        name: 'gpu choice',
        status: 'note',
        found: `CUDA_VISIBLE_DEVICES=${none.trim()} hides every GPU`,
        advice: 'Unset CUDA_VISIBLE_DEVICES, or set it to the number of a GPU, such as 0',
      });
    }
    for (const some of ['0', '1,-1', 'GPU-8932f937-d72c-4106-c12f-20bd9faed9f6'])
      expect(await choice(some)).toEqual({
        name: 'gpu choice',
        status: 'ok',
        found: `CUDA_VISIBLE_DEVICES=${some}`,
      });
  });

  it('names missing libraries, where they were looked for and what brings them', async () => {
    const library = cudaBuild(['libcudnn.so.9', 'libcusolver.so.11', 'libnccl.so.2']);
    // There TensorFlow 2.21.0 does not look.
    mkdirSync(join(library.folder, 'nvidia/cusolver/lib'), { recursive: true });
    writeFileSync(join(library.folder, 'nvidia/cusolver/lib/libcusolver.so.11'), '');
    expect(await libraries({ library })).toEqual({
      name: 'gpu libraries',
      status: 'note',
      found: `missing: libcudnn.so.9, libcusolver.so.11, libnccl.so.2 (looked for in ${join(library.folder, 'nvidia')}, the loader's cache)`,
      advice:
        "npx g2d-native install --gpu brings CUDA 12's; if it says that they were installed already, " +
        `delete ${library.folder} and run it again`,
    });
  });

  it("finds them in LD_LIBRARY_PATH and in the loader's cache too", async () => {
    const library = cudaBuild(['libcudnn.so.9', 'libcusolver.so.11']);
    const elsewhere = temporaryFolder();
    writeFileSync(join(elsewhere, 'libcudnn.so.9'), '');
    const env = { LD_LIBRARY_PATH: `:/nowhere:${elsewhere}` };
    const run = loader('libcuda.so.1', 'libcusolver.so.11');
    expect(await libraries({ library, env, run })).toMatchObject({ status: 'ok' });
    expect((await libraries({ library, env, run: noLoader })).found).toBe(
      `missing: libcusolver.so.11 (looked for in ${join(library.folder, 'nvidia')}, LD_LIBRARY_PATH)`,
    );
  });

  it("says that CUDA 13's libraries are of no use", async () => {
    const library = { variant: 'gpu', folder: temporaryFolder() } as const;
    // What CUDA 13 has under the names of CUDA 12 is taken for what it is.
    const run = loader('libcuda.so.1', 'libcublas.so.13', 'libcufft.so.12', 'libcusparse.so.12');
    const { status, found } = await libraries({ library, run });
    expect(status).toBe('note');
    expect(found).toMatch(
      /^missing: libcudart\.so\.12, libcublas\.so\.12, libcublasLt\.so\.12, libcudnn\.so\.9, libcufft\.so\.11, libcusolver\.so\.11, /,
    );
    expect(found).toMatch(/; libcublas\.so\.13, libcufft\.so\.12 are CUDA 13's, and TensorFlow wants 12's$/);
  });

  it('does not mind what one GPU can do without', async () => {
    expect(await libraries({ library: cudaBuild(['libnccl.so.2', 'libcupti.so.12']) })).toEqual({
      name: 'gpu libraries',
      status: 'ok',
      found:
        "libnccl.so.2 is missing, which is for several GPUs alone; libcupti.so.12 is missing, which is for TensorFlow's profiler alone",
    });
  });

  it('gives the reason of TensorFlow where nothing else explains it', async () => {
    const messages = [
      'WARNING: All log messages before absl::InitializeLog() is called are written to STDERR',
      'I0000 00:00:1796195518.940342   21725 port.cc:153] oneDNN custom operations are on. You may see errors.',
      'E0000 00:00:1733476848.566966       1 cuda_dnn.cc:8310] Unable to register cuDNN factory: one could not',
      'I0000 00:00:1796195518.984098   21725 dso_loader.cc:133] Successfully opened dynamic library libcudart.so.12',
      "I0000 00:00:1796195518.984329   21725 dso_loader.cc:144] Could not load dynamic library 'libcufft.so.11'; dlerror: libx.so",
      '2026-02-24 16:46:52.066807: E external/xla/cuda_driver.cc:266] failed call to cuInit: UNKNOWN ERROR (303)',
      '2026-02-24 16:46:52.066809: E external/xla/cuda_driver.cc:266] failed call to cuInit: UNKNOWN ERROR (303)',
    ].join('\n');
    const gpu = async (change: Partial<GpuSituation>) =>
      (await look(change)).find(({ name }) => name === 'gpu');
    expect(await gpu({ messages: () => Promise.resolve(messages) })).toEqual({
      name: 'gpu',
      status: 'note',
      found:
        'driver and libraries are there, but TensorFlow computes on the processor. It says: ' +
        "Could not load dynamic library 'libcufft.so.11'; dlerror: libx.so; failed call to cuInit: UNKNOWN ERROR (303)",
      advice: expect.stringMatching(/TF_CPP_MIN_LOG_LEVEL=0 node -e .*loadTensorFlow\(\)/),
    });
    expect((await gpu({}))?.found).toBe(
      'driver and libraries are there, but TensorFlow computes on the processor',
    );
    for (const explained of [{ driver: null }, { env: { CUDA_VISIBLE_DEVICES: '-1' } }, { device: null }])
      expect(await gpu(explained)).toBeUndefined();
  });
});
