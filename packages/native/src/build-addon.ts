import { createHash } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publishBinary, sha256File, targetOf, withStaging, type Library } from './cache.js';
import { NativeError } from './errors.js';
import { findPrebuilt, prebuiltFile, type Prebuilt } from './prebuilt.js';
import type { TfjsNode } from './project.js';
import { interruptedError } from './pip-download.js';
import { runCommand, type RunCommand } from './run-command.js';
import { libraries, targetName, type Platform } from './wheels.js';

/** A built add-on in the cache. */
export interface Addon {
  readonly file: string;
  readonly sha256: string;
}

// GCC 11 and newer would make the add-on need GLIBCXX_3.4.29, more than TensorFlow's own library needs, only for the
// function that reports a negative array size. Defining it here keeps one build usable on older systems.
const compatibility = `namespace std {
[[noreturn]] __attribute__((visibility("hidden"))) void __throw_bad_array_new_length();
void __throw_bad_array_new_length() { __builtin_abort(); }
}
`;

// What lets a process join others that train one run together. From the sources as from the built package, whose files lie in `dist`.
const hook = fileURLToPath(new URL('../src/hook/join-cluster.cc', import.meta.url));

const addonFlags = (platform: Platform) => [
  '-O2',
  '-std=c++17',
  '-fPIC',
  '-shared',
  '-fvisibility=hidden',
  '-DNAPI_VERSION=8',
  '-DNODE_GYP_MODULE_NAME=tfjs_binding',
  // tfjs-node calls the hook's functions in the place of TensorFlow's.
  '-DTFE_NewContext=g2d_new_context',
  '-DTF_DeviceListCount=g2d_own_devices',
  ...linkFlags(platform),
];

/**
 * What the linker is told of a binary of ours, whatever is in it. It lies in <package>/lib/napi-v8 and finds the library through the link
 * <package>/deps.
 */
export const linkFlags = (platform: Platform): readonly string[] =>
  platform === 'linux'
    ? ['-Wl,-rpath,$ORIGIN/../../deps/lib', '-s']
    : // Node's functions are found in the program that loads it: without this they are an error here.
      ['-Wl,-undefined,dynamic_lookup', '-Wl,-rpath,@loader_path/../../deps/lib'];

/** Hash of what the add-on is built from: the sources that the npm package ships, our hook, and our flags. */
export async function addonSources(tfjs: Pick<TfjsNode, 'folder'>, platform: Platform): Promise<string> {
  const hash = createHash('sha256')
    .update(compatibility)
    .update(addonFlags(platform).join(' '))
    .update(await readFile(hook));
  const binding = join(tfjs.folder, 'binding');
  for (const name of (await readdir(binding)).sort())
    hash.update(name).update(await readFile(join(binding, name)));
  return hash.digest('hex').slice(0, 12);
}

/** Where an add-on lies in the cache, and where it comes from. */
export interface AddonPlan {
  readonly file: string;
  /** Null: it is compiled. */
  readonly prebuilt: Prebuilt | null;
}

/**
 * The add-on for a package and a library: a prebuilt one of the same sources, or one to be compiled. The name of the place holds everything that
 * the binary depends on.
 *
 * @param build Compiles also where there is a prebuilt one.
 */
export async function planAddon(
  cache: string,
  tfjs: TfjsNode,
  library: Library,
  build = false,
): Promise<AddonPlan> {
  const { version } = library.manifest;
  const target = targetOf(library);
  const sources = await addonSources(tfjs, target.platform);
  const name = 'tfjs_binding.node';
  const prebuilt = build ? null : findPrebuilt(target, 'addon', sources);
  if (prebuilt) return { file: prebuiltFile(cache, prebuilt, name), prebuilt };
  const folder = `tfjs-${tfjs.version}-tensorflow-${version}-${targetName(target)}-${sources}`;
  return { file: join(cache, 'addons', folder, name), prebuilt: null };
}

/** An add-on that was built earlier, or null. Its hash is checked: it is small. */
export async function readAddon(file: string): Promise<Addon | null> {
  try {
    const expected = (await readFile(`${file}.sha256`, 'utf8')).trim();
    return (await sha256File(file)) === expected ? { file, sha256: expected } : null;
  } catch {
    return null;
  }
}

/** Makes an add-on unusable for everybody, so that it is built again. */
export async function forgetAddon(file: string): Promise<void> {
  await rm(`${file}.sha256`, { force: true });
}

/** The first C++ compiler that answers: of `$CXX`, `c++`, `g++`, `clang++`; null without one. */
export async function findCompiler(
  env: NodeJS.ProcessEnv = process.env,
  run: RunCommand = runCommand,
): Promise<{ command: string; version: string } | null> {
  for (const command of [env['CXX'], 'c++', 'g++', 'clang++']) {
    if (!command) continue;
    const result = await run(command, ['--version'], { env, timeoutMs: 30_000 });
    if (result.code === 0) return { command, version: result.stdout.split('\n')[0]!.trim() };
  }
  return null;
}

/** What an add-on is built for, and with what. */
export interface BuildRequest {
  readonly cache: string;
  readonly file: string;
  readonly library: Library;
  readonly env?: NodeJS.ProcessEnv;
  readonly run?: RunCommand;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Builds tfjs-node's add-on against a library of the cache: one call of the compiler, without node-gyp, Python or Node's
 * headers from the network.
 *
 * @throws {NativeError} `G2D_NATIVE_NO_COMPILER`, `G2D_NATIVE_COMPILER_FAILED`
 */
export async function buildAddon({
  tfjs,
  ...request
}: BuildRequest & { readonly tfjs: TfjsNode }): Promise<Addon> {
  return compileAddon(request, `the add-on for ${tfjs.name} ${tfjs.version}`, (staging) =>
    addonArguments(tfjs, staging, targetOf(request.library).platform),
  );
}

/** Flags and sources of the add-on for a compiler; writes one of them into a folder. */
export async function addonArguments(
  tfjs: Pick<TfjsNode, 'folder'>,
  staging: string,
  platform: Platform,
): Promise<string[]> {
  const extra = join(staging, 'compatibility.cc');
  await writeFile(extra, compatibility);
  return [
    ...addonFlags(platform),
    `-I${tfjs.folder}`,
    join(tfjs.folder, 'binding', 'tfjs_backend.cc'),
    join(tfjs.folder, 'binding', 'tfjs_binding.cc'),
    hook,
    extra,
  ];
}

/**
 * Compiles an add-on against Node's and TensorFlow's C interfaces and puts it into the cache.
 *
 * @param what Named in the error.
 * @param makeArguments Flags and sources; may write into the folder that it is given.
 * @throws {NativeError} `G2D_NATIVE_NO_COMPILER`, `G2D_NATIVE_COMPILER_FAILED`
 */
export async function compileAddon(
  { cache, file, library, env = process.env, run = runCommand, signal }: BuildRequest,
  what: string,
  makeArguments: (staging: string) => Promise<readonly string[]>,
): Promise<Addon> {
  const compiler = await findCompiler(env, run);
  if (!compiler) {
    throw new NativeError(
      'G2D_NATIVE_NO_COMPILER',
      'A C++ compiler is needed once, to build the add-on between Node and TensorFlow, but neither $CXX, c++, g++ nor ' +
        'clang++ was found. Install one (Debian and Ubuntu: apt install g++; Fedora: dnf install gcc-c++; macOS: xcode-select --install) and run this ' +
        'again: what was downloaded is kept.',
    );
  }
  const nodeHeaders = join(dirname(createRequire(import.meta.url).resolve('node-api-headers')), 'include');
  return withStaging(cache, async (staging) => {
    const built = join(staging, basename(file));
    const lib = join(library.folder, 'lib');
    const args = [
      ...(await makeArguments(staging)),
      `-I${join(library.folder, 'include')}`,
      `-I${nodeHeaders}`,
      '-o',
      built,
      ...libraryFlags(targetOf(library).platform, lib),
    ];
    const result = await run(compiler.command, args, { env: { ...env, TMPDIR: staging }, signal });
    if (signal?.aborted) throw interruptedError();
    if (result.code !== 0) {
      const errors = result.stderr.split('\n').filter((line) => /error|cannot find|No space/i.test(line));
      const code = /No space left/.test(result.stderr)
        ? 'G2D_NATIVE_DISK_FULL'
        : 'G2D_NATIVE_COMPILER_FAILED';
      throw new NativeError(
        code,
        `The compiler ${compiler.command} (${compiler.version}) could not build ${what} ` +
          `and TensorFlow ${library.manifest.version}: ${(errors[0] ?? result.stderr.split('\n')[0] ?? 'no message').trim()}. ` +
          'GCC 9 or newer, or Clang 9 or newer, is expected; another one can be named in CXX.',
        { compiler, errors: errors.slice(0, 20) },
      );
    }
    const sha256 = await sha256File(built);
    await publishBinary(built, file, sha256);
    return { file, sha256 };
  });
}

/** Links TensorFlow's libraries, which lie in a folder. */
function libraryFlags(platform: Platform, folder: string): string[] {
  // Apple's linker has no `-l:`; given a file it takes the name that the library has for itself, `@rpath/…`.
  if (platform === 'darwin') return libraries.darwin.map((name) => join(folder, name));
  return [
    `-L${folder}`,
    ...libraries.linux.map((name) => `-l:${name}`),
    // With CUDA the library itself wants the NVIDIA libraries, which the linker need not see.
    '-Wl,--allow-shlib-undefined',
    `-Wl,-rpath-link,${folder}`,
  ];
}
