import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Finding } from './finding.js';
import { describeHost, type Host } from './host.js';
import type { RunCommand } from './run-command.js';
import { nvidiaFolders, type Variant } from './wheels.js';

/** What decides whether a GPU is used. */
export interface GpuSituation {
  readonly host: Host;
  readonly env: NodeJS.ProcessEnv;
  /** Asks the loader what it knows. */
  readonly run: RunCommand;
  /** The library that `install` put in place; null where there is none. */
  readonly library: { readonly variant: Variant; readonly folder: string } | null;
  /** The driver's version; null where none is loaded. */
  readonly driver: string | null;
  /** What the self-test computed on; null where it failed. */
  readonly device: 'cpu' | 'gpu' | null;
  /** What TensorFlow writes while it looks for a GPU. Asked for only where nothing else explains why it uses none. */
  readonly messages: () => Promise<string>;
}

/** The oldest driver that runs programs of CUDA 12, on Linux. */
const oldestDriver = '525.60.13';

/** NVIDIA's libraries that TensorFlow opens by name: with the version in CUDA 12's file name, and in that of CUDA 13. */
const libraries: readonly {
  readonly name: string;
  readonly cuda12: number;
  readonly cuda13: number;
  /** What alone wants it. Left out: without it TensorFlow uses no GPU. */
  readonly onlyFor?: string;
}[] = [
  { name: 'libcudart', cuda12: 12, cuda13: 13 },
  { name: 'libcublas', cuda12: 12, cuda13: 13 },
  { name: 'libcublasLt', cuda12: 12, cuda13: 13 },
  { name: 'libcudnn', cuda12: 9, cuda13: 9 },
  { name: 'libcufft', cuda12: 11, cuda13: 12 },
  { name: 'libcusolver', cuda12: 11, cuda13: 12 },
  { name: 'libcusparse', cuda12: 12, cuda13: 12 },
  { name: 'libnccl', cuda12: 2, cuda13: 2, onlyFor: 'several GPUs' },
  { name: 'libcupti', cuda12: 12, cuda13: 13, onlyFor: "TensorFlow's profiler" },
];

/**
 * What keeps a GPU from being used, and what to do. Never a problem: TensorFlow computes on the processor then. Where the CUDA build is not
 * installed nobody has asked for a GPU, and only a driver is worth a note.
 */
export async function gpuFindings(situation: GpuSituation): Promise<Finding[]> {
  const { host, env, library, driver, device } = situation;
  if (host.platform !== 'linux') return [];
  if (library?.variant !== 'gpu') return [withoutCuda(host, driver, device)];
  const found = await findLibraries(situation, library.folder);
  const findings = [driverFinding(driver, device, found), ...choiceFinding(env), librariesFinding(found)];
  const isExplained = driver === null || findings.some(({ status }) => status === 'note');
  if (device !== 'cpu' || isExplained) return findings;
  return [...findings, unexplained(reasonIn(await situation.messages()))];
}

function withoutCuda(host: Host, driver: string | null, device: GpuSituation['device']): Finding {
  const name = 'nvidia driver';
  if (!driver) return { name, status: 'ok', found: 'none: the processor computes' };
  if (device === 'gpu') return { name, status: 'ok', found: driver };
  if (host.arch !== 'x64') {
    const found = `${driver}, but there is no CUDA build for ${describeHost(host)}: the processor computes`;
    return { name, status: 'ok', found };
  }
  return {
    name,
    status: 'note',
    found: driver,
    advice: 'npx g2d-native install --gpu takes the CUDA build',
  };
}

function driverFinding(
  driver: string | null,
  device: GpuSituation['device'],
  { where, hasDriverLibrary }: Found,
): Finding {
  const name = 'nvidia driver';
  // It knows better than any file; under WSL there is none with the version.
  if (device === 'gpu') return { name, status: 'ok', found: driver ?? 'of a version that it does not say' };
  if (driver === null) {
    return {
      name,
      status: 'note',
      found:
        'none, which the CUDA build wants: the processor computes, without the training kernels of the CPU build',
      advice:
        `Install NVIDIA's driver, ${oldestDriver} or newer (one for CUDA 13 runs programs of CUDA 12); where there is no GPU, ` +
        'npx g2d-native install takes the CPU build',
    };
  }
  if (isOlder(driver, oldestDriver)) {
    return {
      name,
      status: 'note',
      found: `${driver}, but programs of CUDA 12, as TensorFlow, want ${oldestDriver} or newer`,
      advice: `Install NVIDIA's driver ${oldestDriver} or newer; one for CUDA 13 runs programs of CUDA 12`,
    };
  }
  if (!hasDriverLibrary) {
    return {
      name,
      status: 'note',
      found: `${driver} is loaded, but its library ${driverLibrary} is not in ${where.join(', ')}`,
      advice:
        "Install the driver's libraries of the same version; a container gets them from NVIDIA's container toolkit (docker run --gpus all)",
    };
  }
  return { name, status: 'ok', found: driver };
}

const isOlder = (version: string, than: string): boolean =>
  /^\d/.test(version) && version.localeCompare(than, 'en', { numeric: true }) < 0;

/** CUDA takes the GPUs before the first number that is none. */
function choiceFinding(env: NodeJS.ProcessEnv): Finding[] {
  const name = 'gpu choice';
  const chosen = env['CUDA_VISIBLE_DEVICES'];
  if (chosen === undefined) return [];
  const value = `CUDA_VISIBLE_DEVICES=${chosen.trim()}`;
  if (!/^\s*(?:$|-)/.test(chosen)) return [{ name, status: 'ok', found: value }];
  return [
    {
      name,
      status: 'note',
      found: `${value} hides every GPU`,
      advice: 'Unset CUDA_VISIBLE_DEVICES, or set it to the number of a GPU, such as 0',
    },
  ];
}

/** Where NVIDIA's libraries are. */
interface Found {
  readonly folder: string;
  /** Where they were looked for, for people. */
  readonly where: readonly string[];
  readonly missing: typeof libraries;
  /** Files of CUDA 13 in the place of missing ones. */
  readonly ofCuda13: readonly string[];
  /** True also where the loader could not be asked: it is no library that lies elsewhere. */
  readonly hasDriverLibrary: boolean;
}

/** The driver's own library. It comes with the driver alone, never from `install`. */
const driverLibrary = 'libcuda.so.1';

/** Looks where the loader looks for what TensorFlow opens: beside the library, in `LD_LIBRARY_PATH`, in the loader's cache. */
async function findLibraries({ env, run }: GpuSituation, folder: string): Promise<Found> {
  const paths = (env['LD_LIBRARY_PATH'] ?? '').split(delimiter).filter((path) => path !== '');
  const folders = [...nvidiaFolders.map((part) => join(folder, part)), ...paths];
  const cached = await loaderCache(run);
  const isThere = (file: string): boolean =>
    cached?.has(file) === true || folders.some((one) => existsSync(join(one, file)));
  const missing = libraries.filter((one) => !isThere(`${one.name}.so.${one.cuda12}`));
  return {
    folder,
    where: [
      join(folder, 'nvidia'),
      ...(paths.length > 0 ? ['LD_LIBRARY_PATH'] : []),
      ...(cached ? ["the loader's cache"] : []),
    ],
    missing,
    ofCuda13: missing.map(({ name, cuda13 }) => `${name}.so.${cuda13}`).filter(isThere),
    hasDriverLibrary: cached === null || isThere(driverLibrary),
  };
}

/** The names of the libraries that the loader finds without being told where; null where it cannot be asked. */
async function loaderCache(run: RunCommand): Promise<ReadonlySet<string> | null> {
  // A user's PATH often lacks the folders of the administrator's programs.
  for (const command of ['ldconfig', '/sbin/ldconfig']) {
    const { code, stdout } = await run(command, ['-p']);
    if (code !== 0) continue;
    // Those of 32 bits have the same names.
    const lines = stdout.matchAll(/^\s*(\S+) \([^)]*\bx86-64\b[^)]*\) =>/gm);
    return new Set([...lines].map(([, file]) => file!));
  }
  return null;
}

function librariesFinding({ folder, where, missing, ofCuda13 }: Found): Finding {
  const name = 'gpu libraries';
  const files = (those: typeof libraries) => those.map((one) => `${one.name}.so.${one.cuda12}`).join(', ');
  if (missing.length === 0)
    return { name, status: 'ok', found: "NVIDIA's for CUDA 12 are where TensorFlow looks" };
  const needed = missing.filter(({ onlyFor }) => onlyFor === undefined);
  const advice =
    "npx g2d-native install --gpu brings CUDA 12's; if it says that they were installed already, " +
    `delete ${folder} and run it again`;
  if (needed.length === 0) {
    const found = missing.map((one) => `${files([one])} is missing, which is for ${one.onlyFor} alone`);
    return { name, status: 'ok', found: found.join('; ') };
  }
  const other =
    ofCuda13.length > 0 ? `; ${ofCuda13.join(', ')} are CUDA 13's, and TensorFlow wants 12's` : '';
  const found = `missing: ${files(missing)} (looked for in ${where.join(', ')})${other}`;
  return { name, status: 'note', found, advice };
}

/** What TensorFlow itself says of it, as far as it does. */
function reasonIn(messages: string): string | null {
  const lines = messages.split('\n').flatMap((line) => /^\S.*\.cc:\d+\] (.+)$/.exec(line)?.[1] ?? []);
  const reasons = lines.filter(
    (text) =>
      /could not|cannot|failed|error|skipping/i.test(text) &&
      /\bcu[A-Z]|CUDA|cuda|GPU|\.so\./.test(text) &&
      // Said at every start, with a GPU that is used too.
      !text.startsWith('Unable to register'),
  );
  return reasons.length === 0 ? null : [...new Set(reasons)].slice(0, 3).join('; ');
}

function unexplained(reason: string | null): Finding {
  return {
    name: 'gpu',
    status: 'note',
    found: `driver and libraries are there, but TensorFlow computes on the processor${reason ? `. It says: ${reason}` : ''}`,
    advice:
      'All that TensorFlow says: ' +
      'TF_CPP_MIN_LOG_LEVEL=0 node -e "import(\'@g2d/native\').then((native) => native.loadTensorFlow())"',
  };
}
