// Builds the add-on and the training kernels for packages/native-linux-* and packages/native-darwin-*: `npm run prebuilt`; `npm run prebuilt -- --check` builds them again and compares their
// hashes with those that are there. The compiler is Zig (Clang with its own C++ library, the symbols of every glibc, and those of macOS), from the Python index, 100 MB, once.
// TensorFlow's headers are those that `npm run tensorflow` has put into the cache.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { addonArguments, addonSources } from '../packages/native/src/build-addon.js';
import { cacheLocation } from '../packages/native/src/cache.js';
import { kernelArguments, kernelSources } from '../packages/native/src/kernels.js';
import type { Part, PrebuiltRecord } from '../packages/native/src/prebuilt.js';
import { findTfjsNode } from '../packages/native/src/project.js';
import {
  chooseWheel,
  libraries,
  libraryName,
  type Platform,
  type Target,
} from '../packages/native/src/wheels.js';

const ZIG = {
  version: '0.17.1',
  sha256: {
    x64: 'ea6cc5d87b033cf0aedfbc8f9549a908cae6c50ac31f1698188fa48a74524b54',
    arm64: 'b7c5f02fccd40f89b999ee16a1f5ddced56e6182370f8affe494bcf8a28cf07e',
  },
};
const TARGETS: readonly (Target & { readonly zig: string })[] = [
  // Older than what TensorFlow's own library needs (2.27).
  { platform: 'linux', arch: 'x64', zig: 'x86_64-linux-gnu.2.17' },
  { platform: 'linux', arch: 'arm64', zig: 'aarch64-linux-gnu.2.17' },
  // As TensorFlow's own library.
  { platform: 'darwin', arch: 'arm64', zig: 'aarch64-macos.12.0' },
];
type Built = (typeof TARGETS)[number];

const check = process.argv.includes('--check');
const work = mkdtempSync(join(tmpdir(), 'g2d-prebuilt-'));

function zig(): string {
  const folder = join(cacheLocation().path, `zig-${ZIG.version}`);
  const program = join(folder, 'ziglang', 'zig');
  if (existsSync(program)) return program;
  const sha256 = ZIG.sha256[process.arch as Target['arch']];
  if (!sha256) throw new Error(`Zig is fetched on Linux x64 and arm64, not on ${process.arch}.`);
  const requirements = join(work, 'requirements.txt');
  writeFileSync(requirements, `ziglang==${ZIG.version} --hash=sha256:${sha256}\n`);
  const options = ['--quiet', '--no-deps', '--only-binary=:all:', '--require-hashes', '--target', folder];
  execFileSync('python3', ['-m', 'pip', 'install', ...options, '-r', requirements], { stdio: 'inherit' });
  return program;
}

const compiler = zig();
const library = join(
  cacheLocation().path,
  libraryName(chooseWheel({ platform: 'linux', arch: 'x64', musl: false }, 'cpu')),
);
const headers = [
  join(library, 'include'),
  join(dirname(createRequire(import.meta.url).resolve('node-api-headers')), 'include'),
].map((folder) => `-I${folder}`);
if (!existsSync(join(library, 'include')))
  throw new Error("TensorFlow's headers are not here: npm run tensorflow.");

// Names of files are a part of the binary: the same ones wherever it is built.
const named = { [process.cwd()]: '.', [library]: 'tensorflow', [work]: 'build' };
const prefixes = Object.entries(named).map(([folder, name]) => `-ffile-prefix-map=${folder}=${name}`);

const compile = ({ zig }: Built, args: readonly string[], out: string) =>
  execFileSync(compiler, ['c++', '-target', zig, ...prefixes, ...args, ...headers, '-o', out], {
    // Zig keeps what it compiled; one folder for all processors, as it builds its C++ library first.
    env: { ...process.env, ZIG_GLOBAL_CACHE_DIR: join(cacheLocation().path, `zig-${ZIG.version}`, 'cache') },
    stdio: 'inherit',
  });

/** A library with the names that a binary wants of TensorFlow, so that it says where they are to be found. */
function standIn({ arch, zig }: Built, binary: string): string {
  const names = new Set(readFileSync(binary, 'latin1').match(/(?<=\0)TFE?_\w+(?=\0)/g));
  const source = join(work, `${arch}.c`);
  writeFileSync(
    source,
    [...names]
      .sort()
      .map((name) => `void ${name}(void) {}\n`)
      .join(''),
  );
  const soname = libraries.linux[0]!;
  const out = join(work, arch, soname);
  mkdirSync(dirname(out), { recursive: true });
  const args = ['cc', '-target', zig, '-shared', `-Wl,-soname,${soname}`, source, '-o', out];
  execFileSync(compiler, args, { stdio: 'inherit' });
  return out;
}

/**
 * A text for the linker in the place of TensorFlow's libraries for macOS: their names, as they call themselves, and their versions, none. In which of the two a
 * function lies is asked when they are there: another release may divide them otherwise.
 */
function describeLibraries(): string[] {
  return libraries.darwin.map((name) => {
    const file = join(work, name.replace(/dylib$/, 'tbd'));
    const facts = ['tbd-version: 4', 'targets: [ arm64-macos ]', `install-name: '@rpath/${name}'`];
    const versions = ['current-version: 0', 'compatibility-version: 0'];
    writeFileSync(file, ['--- !tapi-tbd', ...facts, ...versions, '...', ''].join('\n'));
    return file;
  });
}

function build(target: Built, part: Part, args: readonly string[]): Buffer {
  const out = join(work, `${part}-${target.platform}-${target.arch}.node`);
  if (target.platform === 'darwin') {
    // Without a name of its own it would have the path where it is built.
    compile(target, [...args, '-s', `-Wl,-install_name,@rpath/${part}.node`, ...describeLibraries()], out);
    return readFileSync(out);
  }
  // At once unresolved names are an error for its linker, later for the one that loads it.
  const linking = ['-Wl,-z,lazy', '-Wl,--allow-shlib-undefined'];
  compile(target, [...args, ...linking], out);
  compile(target, [...args, ...linking, standIn(target, out)], out);
  return readFileSync(out);
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const pack = (bytes: Buffer) =>
  brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 },
  });

const tfjs = findTfjsNode(process.cwd());
if (!tfjs) throw new Error('@tensorflow/tfjs-node-gpu is not here: npm ci.');
const sources = async (platform: Platform) => ({
  addon: await addonSources(tfjs, platform),
  kernels: await kernelSources(platform),
});
let wrong = 0;
for (const target of TARGETS) {
  const { platform, arch } = target;
  const folder = `packages/native-${platform}-${arch}`;
  const file = join(folder, 'prebuilt.json');
  const built = {
    addon: build(target, 'addon', await addonArguments(tfjs, work, platform)),
    kernels: build(target, 'kernels', kernelArguments(platform)),
  };
  const hashes = await sources(platform);
  const part = (name: Part) => ({ sources: hashes[name], sha256: sha256(built[name]) });
  const record: PrebuiltRecord = { format: 1, parts: { addon: part('addon'), kernels: part('kernels') } };
  const text = `${JSON.stringify(record, null, 2)}\n`;
  if (check) {
    const same = existsSync(file) && readFileSync(file, 'utf8') === text;
    if (!same) wrong += 1;
    console.log(
      same ? `${folder} is what the sources compile to.` : `${folder} is out of date: npm run prebuilt.`,
    );
    continue;
  }
  for (const [name, bytes] of Object.entries(built)) {
    const packed = pack(bytes);
    writeFileSync(join(folder, `${name}.node.br`), packed);
    console.log(`${folder}/${name}.node.br: ${packed.length} bytes (${bytes.length} unpacked)`);
  }
  writeFileSync(file, text);
}
rmSync(work, { recursive: true, force: true });
process.exitCode = wrong === 0 ? 0 : 1;
