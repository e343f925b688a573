import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NativeError, type NativeErrorCode } from './errors.js';
import { runCommand, type RunCommand } from './run-command.js';
import type { Target } from './wheels.js';

/** A pip that answers. */
export interface Pip {
  readonly command: string;
  /** What comes before pip's own arguments: `['-I', '-m', 'pip']` or nothing. */
  readonly args: readonly string[];
  readonly version: string;
}

/** What is asked of pip. */
export interface PipRequest extends Target {
  readonly name: string;
  readonly version: string;
  /** Expected hash of the wheel; null leaves it to the hash that the index gives. */
  readonly sha256: string | null;
  /** Folder for the wheel and for pip's temporary files; created if it is missing. */
  readonly into: string;
  readonly signal?: AbortSignal | undefined;
  /** Told how many bytes have arrived, several times a second. */
  readonly onBytes?: (done: number) => void;
}

// The Python version only chooses among wheels with the same library inside; no Python code is run.
const pythonVersions = ['3.11', '3.13'];

/** The wheels' platform tags, newest first; pip takes the first one for which there is a wheel. */
export function platformTags({ platform, arch }: Target): string[] {
  // TensorFlow's first wheels for it are of macOS 12.
  if (platform === 'darwin') return ['13', '12', '11'].map((system) => `macosx_${system}_0_${arch}`);
  const machine = arch === 'x64' ? 'x86_64' : 'aarch64';
  return ['manylinux_2_28', 'manylinux_2_27', 'manylinux_2_18', 'manylinux_2_17', 'manylinux2014'].map(
    (tag) => `${tag}_${machine}`,
  );
}

/**
 * The first pip that answers: of `$PYTHON`, `python3`, `python`, then a `pip3` or `pip` program; null without one.
 *
 * Python is isolated (`-I`): nothing of the current folder, of `PYTHONPATH` or of the user's own packages is executed. Only where pip itself
 * is one of the user's own packages, that is not so. Of pip's own isolation (`--isolated`) nothing would be gained: pip reads no file of
 * the current folder, and would lose the user's mirror and proxy.
 */
export async function findPip(
  env: NodeJS.ProcessEnv = process.env,
  run: RunCommand = runCommand,
  signal?: AbortSignal,
): Promise<Pip | null> {
  const pythons = [env['PYTHON'], 'python3', 'python'].filter((name): name is string => Boolean(name));
  const candidates = [
    ...pythons.map((command) => ({ command, args: ['-I', '-m', 'pip'] })),
    ...['pip3', 'pip'].map((command) => ({ command, args: [] })),
    ...pythons.map((command) => ({ command, args: ['-m', 'pip'] })),
  ];
  for (const { command, args } of candidates) {
    const result = await run(command, [...args, '--version'], { env, signal, timeoutMs: 30_000 });
    const version = /^pip (\S+)/m.exec(result.stdout)?.[1];
    if (result.code === 0 && version) return { command, args, version };
  }
  return null;
}

/**
 * Downloads one wheel with pip and gives its path.
 *
 * @throws {NativeError} With the code of what went wrong: no network, wrong hash, full disk, no such wheel.
 */
export async function pipDownload(
  pip: Pip,
  request: PipRequest,
  run: RunCommand = runCommand,
): Promise<string> {
  await mkdir(request.into, { recursive: true });
  const requirements = join(request.into, 'requirements.txt');
  const pin = `${request.name}==${request.version}`;
  await writeFile(requirements, request.sha256 ? `${pin} --hash=sha256:${request.sha256}\n` : `${pin}\n`);
  const pythons = request.sha256 ? pythonVersions.slice(0, 1) : pythonVersions;
  let failure: NativeError | null = null;
  for (const python of pythons) {
    const args = [
      ...pip.args,
      'download',
      '--no-deps',
      '--no-cache-dir',
      '--no-input',
      '--disable-pip-version-check',
      '--progress-bar=off',
      '--retries=2',
      '--timeout=15',
      '--only-binary=:all:',
      `--python-version=${python}`,
      '--implementation=cp',
      `--abi=cp${python.replace('.', '')}`,
      ...platformTags(request).map((tag) => `--platform=${tag}`),
      ...(request.sha256 ? ['--require-hashes'] : []),
      '-r',
      requirements,
      '-d',
      request.into,
    ];
    const poll = watchFolder(request.into, request.onBytes);
    const env = {
      ...process.env,
      // pip's temporary copy lies in our folder: its growth is the progress, and it goes when the folder goes.
      TMPDIR: request.into,
      PIP_REQUIRE_VIRTUALENV: '0',
    };
    const result = await run(pip.command, args, { cwd: request.into, env, signal: request.signal });
    clearInterval(poll);
    if (request.signal?.aborted) throw interruptedError();
    if (result.code === 0) {
      const wheel = (await readdir(request.into)).find((file) => file.endsWith('.whl'));
      if (wheel) return join(request.into, wheel);
    }
    failure = pipError(request, result.stderr || result.stdout || (result.startError ?? ''));
    if (failure.code !== 'G2D_NATIVE_NO_SUCH_WHEEL') break;
  }
  throw failure!;
}

/** The error for an installation that was told to stop. */
export function interruptedError(): NativeError {
  return new NativeError(
    'G2D_NATIVE_INTERRUPTED',
    'The installation was interrupted. Nothing half-installed is left; run it again to start over.',
  );
}

/**
 * Turns what pip printed into one of our errors.
 *
 * @param stderr Everything pip wrote to standard error.
 */
export function pipError(
  request: Pick<PipRequest, 'name' | 'version' | 'sha256'>,
  stderr: string,
): NativeError {
  const wheel = `${request.name} ${request.version}`;
  const kind = classify(stderr);
  const details = { wheel, pip: lastLines(stderr) };
  const message: Record<typeof kind, string> = {
    G2D_NATIVE_DISK_FULL: `The disk is full: pip could not store ${wheel}. Free some space, or choose another disk with --dir.`,
    G2D_NATIVE_WRONG_HASH:
      `The downloaded ${wheel} is not the expected file: its hash should be ${request.sha256 ?? 'the one that the index gives'}` +
      `${gotHash(stderr)}. Nothing was installed. Try again; if it stays so, the package index or a proxy in between ` +
      'serves a changed file.',
    G2D_NATIVE_NO_NETWORK:
      `pip could not reach the Python package index to get ${wheel}. Check the network, and the proxy settings (HTTPS_PROXY) ` +
      'and mirror settings (PIP_INDEX_URL) if you need any; or download the wheel elsewhere and give it with --wheel FILE.',
    G2D_NATIVE_NO_SUCH_WHEEL:
      `The package index has no wheel of ${wheel} for this platform. Check the version; leaving out --version takes the ` +
      'tested one. A private index may be missing it.',
    G2D_NATIVE_PIP_FAILED: `pip could not download ${wheel}. It said: ${lastLines(stderr).at(-1) ?? 'nothing'}. Update pip or see its message above.`,
  };
  return new NativeError(kind, message[kind], details);
}

type PipFailure = Extract<
  NativeErrorCode,
  | 'G2D_NATIVE_DISK_FULL'
  | 'G2D_NATIVE_WRONG_HASH'
  | 'G2D_NATIVE_NO_NETWORK'
  | 'G2D_NATIVE_NO_SUCH_WHEEL'
  | 'G2D_NATIVE_PIP_FAILED'
>;

function classify(stderr: string): PipFailure {
  if (/No space left on device|Errno 28|Disk quota exceeded/i.test(stderr)) return 'G2D_NATIVE_DISK_FULL';
  if (/do not match the hashes|hash(es)? mismatch|HashMismatch/i.test(stderr)) return 'G2D_NATIVE_WRONG_HASH';
  // pip reports an index that it cannot reach also as "no matching distribution", so this comes first.
  if (
    /NewConnectionError|ConnectTimeout|ReadTimeout|ConnectionError|Connection (refused|reset|aborted)|name resolution|Name or service not known|ProxyError|Network is unreachable|Max retries exceeded|SSLError|IncompleteRead|connection broken|Could not fetch URL|HTTPError|HTTP error/i.test(
      stderr,
    )
  )
    return 'G2D_NATIVE_NO_NETWORK';
  if (/No matching distribution|Could not find a version/i.test(stderr)) return 'G2D_NATIVE_NO_SUCH_WHEEL';
  return 'G2D_NATIVE_PIP_FAILED';
}

function gotHash(stderr: string): string {
  const got = /Got\s+([0-9a-f]{64})/i.exec(stderr)?.[1];
  return got ? `, but it is ${got}` : '';
}

/** pip's last lines without addresses: those may carry the credentials of a private index. */
function lastLines(stderr: string): string[] {
  return stderr
    .replace(/\b[a-z+]+:\/\/[^\s'")]+/gi, '<address>')
    .replace(/host=(['"])[^'"]*\1/gi, 'host=<host>')
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .slice(-3);
}

/** pip has no progress that a program could read, so the size of its files is read instead. */
function watchFolder(folder: string, onBytes: PipRequest['onBytes']): NodeJS.Timeout | undefined {
  if (!onBytes) return undefined;
  let most = 0;
  return setInterval(() => {
    void folderBytes(folder).then((bytes) => {
      most = Math.max(most, bytes);
      onBytes(most);
    });
  }, 300);
}

async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  try {
    for (const file of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (file.isFile()) bytes += (await stat(join(file.parentPath ?? file.path, file.name))).size;
    }
  } catch {
    // A file that pip has just moved away; the next look sees it.
  }
  return bytes;
}
