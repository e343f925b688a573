import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { temporaryFolder, writeWheel } from '../test/fake-wheel.js';
import { findPip, pipDownload, pipError, platformTags, type Pip, type PipRequest } from './pip-download.js';

const request = { name: 'tensorflow-cpu', version: '9.9.9', sha256: null };

afterEach(() => {
  vi.unstubAllEnvs();
});

/** A program that stands in for pip. */
function script(body: string): string {
  const file = join(temporaryFolder(), 'pip');
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
  return file;
}

async function realPip(): Promise<Pip> {
  const pip = await findPip();
  if (!pip) throw new Error('these tests need pip');
  return pip;
}

function localIndex(folder: string): void {
  vi.stubEnv('PIP_NO_INDEX', '1');
  vi.stubEnv('PIP_FIND_LINKS', folder);
}

const code = (run: Promise<unknown>) =>
  run.then(
    () => 'no error',
    (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
  );

describe('findPip', () => {
  it('prefers $PYTHON', async () => {
    const python = script('[ "$1 $2 $3 $4" = "-I -m pip --version" ] && echo "pip 99.1 from somewhere"');
    expect(await findPip({ ...process.env, PYTHON: python })).toEqual({
      command: python,
      args: ['-I', '-m', 'pip'],
      version: '99.1',
    });
  });

  it('executes no module of the current folder, with the real pip', async () => {
    const folder = temporaryFolder();
    const marker = join(folder, 'executed');
    const stranger = `open(${JSON.stringify(marker)}, 'w').close()\n`;
    for (const name of ['pip', 'sitecustomize', 'usercustomize', 'json', 'logging']) {
      writeFileSync(join(folder, `${name}.py`), stranger);
    }
    vi.stubEnv('PYTHONPATH', `.:${folder}`);
    const before = process.cwd();
    process.chdir(folder);
    try {
      const links = temporaryFolder();
      writeWheel(links);
      localIndex(links);
      const into = join(temporaryFolder(), 'download');
      expect(
        await pipDownload(await realPip(), { ...request, platform: 'linux', arch: 'x64', into }),
      ).toContain('.whl');
    } finally {
      process.chdir(before);
    }
    expect(existsSync(marker)).toBe(false);
  });

  it('goes on to a pip program when no Python has pip', async () => {
    const pip = await findPip({}, (command) =>
      Promise.resolve(
        command === 'pip3'
          ? { code: 0, stdout: 'pip 24.0 from x\n', stderr: '', startError: null }
          : { code: 1, stdout: '', stderr: 'No module named pip', startError: null },
      ),
    );
    expect(pip).toEqual({ command: 'pip3', args: [], version: '24.0' });
  });

  it('is null without any', async () => {
    expect(await findPip({ PATH: temporaryFolder() })).toBeNull();
  });
});

describe('platformTags', () => {
  it('names the processor as wheels do', () => {
    expect(platformTags({ platform: 'linux', arch: 'x64' })).toContain('manylinux_2_27_x86_64');
    expect(platformTags({ platform: 'linux', arch: 'arm64' })).toContain('manylinux_2_27_aarch64');
    expect(platformTags({ platform: 'darwin', arch: 'arm64' })).toContain('macosx_12_0_arm64');
  });
});

describe('pipDownload', () => {
  const ask = (extra: Partial<PipRequest> = {}): PipRequest => ({
    ...request,
    platform: 'linux',
    arch: 'x64',
    into: join(temporaryFolder(), 'download'),
    ...extra,
  });

  it('gets the wheel of another system', async () => {
    const links = temporaryFolder();
    writeWheel(links);
    writeWheel(links, {}, 'manylinux_2_27_aarch64');
    writeWheel(links, {}, 'macosx_12_0_arm64');
    localIndex(links);
    const mac = ask({ platform: 'darwin', arch: 'arm64' });
    expect(await pipDownload(await realPip(), mac)).toMatch(/-macosx_12_0_arm64\.whl$/);
  });

  it('gets a wheel whose hash is right, with the real pip', async () => {
    const links = temporaryFolder();
    const bytes = readFileSync(writeWheel(links));
    localIndex(links);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const file = await pipDownload(await realPip(), ask({ sha256 }));
    expect(readFileSync(file).equals(bytes)).toBe(true);
  });

  it('refuses a wheel whose hash is wrong, with the real pip', async () => {
    const links = temporaryFolder();
    const bytes = readFileSync(writeWheel(links));
    localIndex(links);
    const asked = ask({ sha256: '0'.repeat(64) });
    const message = await code(pipDownload(await realPip(), asked));
    expect(message).toMatch(/^G2D_NATIVE_WRONG_HASH: .*should be 0{64}, but it is/);
    expect(message).toContain(createHash('sha256').update(bytes).digest('hex'));
  });

  it('says so when the index does not answer, within seconds, with the real pip', async () => {
    vi.stubEnv('PIP_INDEX_URL', 'http://127.0.0.1:9/simple');
    vi.stubEnv('PIP_EXTRA_INDEX_URL', '');
    const message = await code(pipDownload(await realPip(), ask()));
    expect(message).toMatch(/^G2D_NATIVE_NO_NETWORK: .*HTTPS_PROXY.*--wheel FILE/);
    expect(message).not.toContain('127.0.0.1');
  });

  it('says so when there is no such wheel, with the real pip', async () => {
    localIndex(temporaryFolder());
    expect(await code(pipDownload(await realPip(), ask()))).toMatch(
      /^G2D_NATIVE_NO_SUCH_WHEEL: .*tensorflow-cpu 9\.9\.9/,
    );
  });

  it('tells how many bytes have arrived', async () => {
    const command = script('cd "$TMPDIR"; printf 12345 > part; sleep 1; mv part tensorflow_cpu-9.9.9.whl');
    const seen: number[] = [];
    const asked = ask({ onBytes: (bytes) => seen.push(bytes) });
    await pipDownload({ command, args: [], version: '1' }, asked);
    expect(seen.length).toBeGreaterThan(0);
    expect(Math.max(...seen)).toBeGreaterThanOrEqual(5);
  });

  it('ends pip when the installation is interrupted', async () => {
    // Longer than this test may take.
    const command = script('exec sleep 600');
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 200);
    const message = await code(
      pipDownload({ command, args: [], version: '1' }, ask({ signal: controller.signal })),
    );
    expect(message).toMatch(/^G2D_NATIVE_INTERRUPTED/);
  });
});

describe('pipError', () => {
  it('knows the causes by what pip prints', () => {
    const cases: [string, string][] = [
      [
        'ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device',
        'G2D_NATIVE_DISK_FULL',
      ],
      ['ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.', 'G2D_NATIVE_WRONG_HASH'],
      [
        'WARNING: Retrying after connection broken by NewConnectionError: [Errno -3] Temporary failure in name resolution\n' +
          'ERROR: No matching distribution found for tensorflow-cpu==9.9.9',
        'G2D_NATIVE_NO_NETWORK',
      ],
      ['ProxyError: Cannot connect to proxy', 'G2D_NATIVE_NO_NETWORK'],
      ['ERROR: No matching distribution found for tensorflow-cpu==9.9.9', 'G2D_NATIVE_NO_SUCH_WHEEL'],
      ['something that nobody has seen before', 'G2D_NATIVE_PIP_FAILED'],
    ];
    for (const [stderr, expected] of cases) expect(pipError(request, stderr).code).toBe(expected);
  });

  it("shows pip's own words without addresses, which may hold a password", () => {
    const error = pipError(request, 'ERROR: 500 at https://user:secret@host.example/simple/x\n');
    expect(error.message).toContain('500 at <address>');
    expect(JSON.stringify(error.details)).not.toContain('secret');
  });
});
