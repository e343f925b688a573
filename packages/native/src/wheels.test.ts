import { describe, expect, it } from 'vitest';
import {
  chooseWheel,
  knownWheels,
  libraryName,
  nvidiaFolders,
  nvidiaPlace,
  nvidiaRequirements,
  tensorflowFiles,
} from './wheels.js';

const x64 = { platform: 'linux', arch: 'x64', musl: false };
const arm64 = { platform: 'linux', arch: 'arm64', musl: false };
const mac = { platform: 'darwin', arch: 'arm64', musl: false };

describe('chooseWheel', () => {
  it('takes the pinned wheels by default', () => {
    expect(chooseWheel(x64, 'cpu')).toMatchObject({
      name: 'tensorflow-cpu',
      version: '2.21.0',
      bytes: 273_829_956,
    });
    expect(chooseWheel(x64, 'gpu')).toMatchObject({ name: 'tensorflow', variant: 'gpu' });
    expect(chooseWheel(arm64, 'cpu')).toMatchObject({ name: 'tensorflow', arch: 'arm64' });
    expect(chooseWheel(mac, 'cpu')).toMatchObject({
      name: 'tensorflow',
      platform: 'darwin',
      arch: 'arm64',
      bytes: 223_405_849,
    });
    for (const wheel of knownWheels) expect(wheel.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('takes another version without a pin', () => {
    expect(chooseWheel(x64, 'cpu', '2.16.2')).toMatchObject({
      name: 'tensorflow-cpu',
      version: '2.16.2',
      sha256: null,
    });
    expect(chooseWheel(mac, 'cpu', '2.20.0')).toMatchObject({
      name: 'tensorflow',
      platform: 'darwin',
      sha256: null,
    });
  });

  it('refuses what is not a version, and CUDA on arm64 and on macOS', () => {
    expect(() => chooseWheel(x64, 'cpu', 'foo')).toThrow(
      /--version must be a TensorFlow release such as 2\.21\.0.*"foo"/,
    );
    expect(() => chooseWheel(x64, 'cpu', '2.21.0 --index-url=x')).toThrow(/--version must be/);
    expect(() => chooseWheel(arm64, 'gpu')).toThrow(
      /wheels for Linux arm64 contain no CUDA, so --gpu needs Linux x64/,
    );
    expect(() => chooseWheel(mac, 'gpu')).toThrow(
      /wheels for macOS arm64 contain no CUDA, so --gpu needs Linux x64/,
    );
  });
});

describe('libraryName', () => {
  it('differs between variants, versions, systems and processors', () => {
    const names = [
      chooseWheel(x64, 'cpu'),
      chooseWheel(x64, 'gpu'),
      chooseWheel(arm64, 'cpu'),
      chooseWheel(x64, 'cpu', '2.16.2'),
      chooseWheel(mac, 'cpu'),
    ];
    expect(new Set(names.map(libraryName)).size).toBe(5);
    expect(libraryName(names[0]!)).toBe('tensorflow-cpu-2.21.0-x64');
  });
});

describe('tensorflowFiles', () => {
  it('needs both libraries and keeps the licence texts', () => {
    const targets = tensorflowFiles('linux')
      .filter(({ optional }) => !optional)
      .map(({ to }) => to);
    expect(targets).toEqual(
      expect.arrayContaining(['lib/libtensorflow_cc.so.2', 'lib/libtensorflow_framework.so.2']),
    );
    for (const platform of ['linux', 'darwin'] as const)
      expect(tensorflowFiles(platform).map(({ to }) => to)).toEqual(
        expect.arrayContaining(['LICENSE', 'THIRD_PARTY_NOTICES.txt']),
      );
  });

  it('has the names that the libraries have for macOS, and nothing else of them', () => {
    const lib = tensorflowFiles('darwin').filter(({ to }) => to.startsWith('lib/'));
    expect(lib).toEqual([
      {
        from: 'tensorflow/libtensorflow_cc.2.dylib',
        to: 'lib/libtensorflow_cc.2.dylib',
        optional: false,
      },
      {
        from: 'tensorflow/libtensorflow_framework.2.dylib',
        to: 'lib/libtensorflow_framework.2.dylib',
        optional: false,
      },
    ]);
  });
});

describe('nvidiaPlace', () => {
  it('keeps what runs and the licences, each library where TensorFlow looks', () => {
    expect(nvidiaPlace('nvidia/cublas/lib/libcublas.so.12')).toBe('nvidia/cublas/lib/libcublas.so.12');
    expect(nvidiaPlace('nvidia/cusolver/lib/libcusolver.so.11')).toBe(
      'nvidia/cusparse/lib/libcusolver.so.11',
    );
    expect(nvidiaFolders).toContain('nvidia/cusparse/lib');
    expect(nvidiaFolders).not.toContain('nvidia/cusolver/lib');
    const licence = 'nvidia_cublas_cu12-12.5.3.2.dist-info/License.txt';
    expect(nvidiaPlace(licence)).toBe(licence);
    expect(nvidiaPlace('nvidia/cublas/include/cublas.h')).toBeNull();
    expect(nvidiaPlace('nvidia/__init__.py')).toBeNull();
  });
});

describe('nvidiaRequirements', () => {
  it('takes the lowest version that the extra allows, and nothing else', () => {
    const metadata = [
      'Requires-Dist: numpy>=1.26.0',
      'Requires-Dist: nvidia-cublas-cu12<13.0,>=12.5.3.2; extra == "and-cuda"',
      "Requires-Dist: nvidia-cudnn-cu12 (==9.3.0.75) ; extra == 'and-cuda'",
      'Requires-Dist: nvidia-other>=1.0; extra == "something-else"',
    ].join('\n');
    expect(nvidiaRequirements(metadata)).toEqual([
      { name: 'nvidia-cublas-cu12', version: '12.5.3.2' },
      { name: 'nvidia-cudnn-cu12', version: '9.3.0.75' },
    ]);
  });
});
