import { NativeError } from './errors.js';
import { describeHost, type Host } from './host.js';

/** Which build of TensorFlow: for the processor alone, or with CUDA. */
export type Variant = 'cpu' | 'gpu';

/** The systems whose wheels have the library inside. */
export type Platform = 'linux' | 'darwin';

/** What a binary is for. */
export interface Target {
  readonly platform: Platform;
  readonly arch: 'x64' | 'arm64';
}

/** A wheel on the Python package index. */
export interface Distribution extends Target {
  /** The distribution's name on the index. */
  readonly name: string;
  readonly version: string;
  readonly variant: Variant;
  /** The wheel's hash; null when this version is not in our table: then only the index's own hash is checked. */
  readonly sha256: string | null;
  /**
   * Hash of the wheel's `RECORD`, which has those of all its files: with it the wanted ones can be fetched without the rest. Null where the
   * wheel's own is.
   */
  readonly recordSha256: string | null;
  /** Size of the wheel; null when not known. */
  readonly bytes: number | null;
  /** Size of what we take out of it; null when not known. */
  readonly unpackedBytes: number | null;
}

/** The TensorFlow version that is installed unless another one is asked for. */
export const defaultVersion = '2.21.0';

/** The wheels whose hashes we know. A wheel that is not here can be had with `--version`, unpinned. */
export const knownWheels: readonly Distribution[] = [
  {
    name: 'tensorflow-cpu',
    version: '2.21.0',
    variant: 'cpu',
    platform: 'linux',
    arch: 'x64',
    sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
    recordSha256: '158b2361f6ec664e24b430f593e7d369cd4e7cd9bb5a15504f4855eafa399417',
    bytes: 273_829_956,
    unpackedBytes: 854_000_000,
  },
  {
    name: 'tensorflow',
    version: '2.21.0',
    variant: 'gpu',
    platform: 'linux',
    arch: 'x64',
    sha256: '9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124',
    recordSha256: '9bb2c55c126d4f3d3ae13717c581b7e633d7e9a2079531bb780ec882df9beb0b',
    bytes: 572_440_367,
    unpackedBytes: 1_260_000_000,
  },
  {
    // There is no tensorflow-cpu for arm64; this wheel has no CUDA in it.
    name: 'tensorflow',
    version: '2.21.0',
    variant: 'cpu',
    platform: 'linux',
    arch: 'arm64',
    sha256: '4b24aca16d527a3cf1c37f720c04c484c3d20f4d0fdfa98632ac8b9f3be6eb5c',
    recordSha256: '55a41b90f0ad3efc1e91630796e764f63e7be92a1c56a6c40a0723af317583a5',
    bytes: 281_828_020,
    unpackedBytes: 884_000_000,
  },
  {
    // For macOS 12 and newer. Never run by us: no Mac was at hand.
    name: 'tensorflow',
    version: '2.21.0',
    variant: 'cpu',
    platform: 'darwin',
    arch: 'arm64',
    sha256: '51f46f4806139d01fc7920cc72a4c75876f80649bf40ff083ab6212ceb43ca88',
    recordSha256: '950454e592ce3d4064c8a33fa609ce06cfd3f62353b94b09e52212c720348415',
    bytes: 223_405_849,
    unpackedBytes: 742_000_000,
  },
];

/**
 * The wheel for a machine, a variant and a version.
 *
 * @throws {NativeError} `G2D_NATIVE_UNSUPPORTED_PLATFORM` for `gpu` on arm64 and on macOS; `G2D_NATIVE_OPTION` for a version that is
 *   not of the form `2.21.0`.
 */
export function chooseWheel(host: Host, variant: Variant, version: string = defaultVersion): Distribution {
  if (!/^\d+\.\d+\.\d+(?:rc\d+)?$/.test(version)) {
    throw new NativeError(
      'G2D_NATIVE_OPTION',
      `--version must be a TensorFlow release such as ${defaultVersion}, but it is "${version}". ` +
        `Leave it out to get ${defaultVersion}.`,
      { option: 'version', value: version },
    );
  }
  const target = targetFor(host);
  const { platform, arch } = target;
  if (variant === 'gpu' && (platform !== 'linux' || arch !== 'x64')) {
    throw new NativeError(
      'G2D_NATIVE_UNSUPPORTED_PLATFORM',
      `The wheels for ${describeTarget(target)} contain no CUDA, so --gpu needs Linux x64. Use --cpu on this machine.`,
      { platform, arch, variant },
    );
  }
  const known = knownWheels.find(
    (wheel) =>
      wheel.variant === variant &&
      wheel.platform === platform &&
      wheel.arch === arch &&
      wheel.version === version,
  );
  if (known) return known;
  const name = variant === 'cpu' && platform === 'linux' && arch === 'x64' ? 'tensorflow-cpu' : 'tensorflow';
  const unknown = { sha256: null, recordSha256: null, bytes: null, unpackedBytes: null };
  return { name, version, variant, ...target, ...unknown };
}

/** What binaries for a machine are for, if there are any. */
export const targetFor = (host: Pick<Host, 'platform' | 'arch'>): Target => ({
  platform: host.platform === 'darwin' ? 'darwin' : 'linux',
  arch: host.arch === 'arm64' ? 'arm64' : 'x64',
});

/** `Linux x64`, `macOS arm64`. */
export const describeTarget = (target: Target): string => describeHost({ ...target, musl: false });

/** A target as a part of a file's name; the first ones were for Linux and name the processor alone. */
export const targetName = ({
  platform,
  arch,
}: {
  readonly platform: string;
  readonly arch: string;
}): string => (platform === 'linux' ? arch : `${platform}-${arch}`);

/** The name of the library's folder in the cache: one per variant, version, system and processor. */
export function libraryName(wheel: Distribution): string {
  return `tensorflow-${wheel.variant}-${wheel.version}-${targetName(wheel)}`;
}

/** TensorFlow's libraries, in its wheel and in the cache. The second one has what an operation of one's own calls. */
export const libraries: Readonly<Record<Platform, readonly string[]>> = {
  linux: ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'],
  darwin: ['libtensorflow_cc.2.dylib', 'libtensorflow_framework.2.dylib'],
};

const headers = [
  'tensorflow/c/c_api.h',
  'tensorflow/c/c_api_macros.h',
  'tensorflow/c/eager/c_api.h',
  'tensorflow/c/tf_attrtype.h',
  'tensorflow/c/tf_buffer.h',
  'tensorflow/c/tf_datatype.h',
  'tensorflow/c/tf_status.h',
  'tensorflow/c/tf_tensor.h',
  'tensorflow/c/tf_tstring.h',
  'tensorflow/core/platform/ctstring.h',
  'tensorflow/core/platform/ctstring_internal.h',
  'tsl/platform/ctstring.h',
  'tsl/platform/ctstring_internal.h',
  'xla/tsl/c/tsl_status.h',
  // Where releases from 2.12 to 2.20 have them.
  'tsl/c/tsl_status.h',
  'tensorflow/tsl/c/tsl_status.h',
  'tensorflow/tsl/platform/ctstring.h',
  'tensorflow/tsl/platform/ctstring_internal.h',
];

/**
 * What is taken out of TensorFlow's wheel: path in the wheel → path in the cache. The headers moved between
 * TensorFlow releases; the ones marked optional may be missing and the compiler says so if they were needed.
 */
export const tensorflowFiles = (
  platform: Platform,
): readonly { from: string; to: string; optional: boolean }[] => [
  ...libraries[platform].map((name) => ({ from: `tensorflow/${name}`, to: `lib/${name}`, optional: false })),
  ...headers.map((name) => ({
    from: `tensorflow/include/${name}`,
    to: `include/${name}`,
    optional: !name.startsWith('tensorflow/c/'),
  })),
  { from: 'tensorflow/include/LICENSE', to: 'LICENSE', optional: true },
  { from: 'tensorflow/THIRD_PARTY_NOTICES.txt', to: 'THIRD_PARTY_NOTICES.txt', optional: true },
];

/**
 * The NVIDIA wheels that TensorFlow's `and-cuda` extra names, each at the lowest version it allows: the one that
 * TensorFlow was built with.
 *
 * @param metadata Text of `METADATA` in TensorFlow's wheel.
 */
export function nvidiaRequirements(metadata: string): { name: string; version: string }[] {
  const found: { name: string; version: string }[] = [];
  for (const line of metadata.split('\n')) {
    const match =
      /^Requires-Dist:\s*(nvidia-[A-Za-z0-9_-]+)\s*\(?([^;)]*)\)?\s*;.*extra\s*==\s*["']and-cuda["']/.exec(
        line,
      );
    const version = match && /[>=]=\s*([0-9][0-9.]*)/.exec(match[2]!)?.[1];
    if (match && version) found.push({ name: match[1]!.replaceAll('_', '-'), version });
  }
  return found;
}

/**
 * The folders, relative to the library's, in which TensorFlow's own search path has NVIDIA's libraries. Read from
 * `libtensorflow_framework.so.2` of 2.21.0, which opens them all.
 */
export const nvidiaFolders: readonly string[] = [
  'cublas',
  'cuda_cupti',
  'cuda_runtime',
  'cudnn',
  'cufft',
  'cusparse',
  'nccl',
].map((part) => `nvidia/${part}/lib`);

/**
 * The place of a file of NVIDIA's wheels in the cache; null for what is not needed to run, as headers and Python files. The licence texts are
 * kept.
 */
export function nvidiaPlace(path: string): string | null {
  if (!/^nvidia\/.+\/(?:lib|bin|nvvm)\/|^[^/]+\.dist-info\/.*[Ll]icen[cs]e/i.test(path)) return null;
  // The one folder that TensorFlow's search path lacks. Libraries find each other from beside it too: by `../../<part>/lib`.
  return path.replace(/^nvidia\/cusolver\/lib\//, 'nvidia/cusparse/lib/');
}
