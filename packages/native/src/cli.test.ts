import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fakeProject, temporaryFolder } from '../test/fake-wheel.js';
import { main } from './cli.js';

const bin = fileURLToPath(new URL('../bin/g2d-native.js', import.meta.url));

/** Runs a command line in this process. */
async function cli(...args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0);
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => err.push(String(text)) > 0);
  const code = await main(args);
  vi.restoreAllMocks();
  return { code, stdout: out.join(''), stderr: err.join('') };
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describe('g2d-native', () => {
  it('has help for itself and for each command', async () => {
    expect(await cli('--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('install') });
    expect(await cli('install', '--help')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('--wheel FILE'),
    });
    expect(await cli('doctor', '-h')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Changes nothing'),
    });
    expect((await cli()).code).toBe(2);
  });

  it('refuses what it does not know, in one line', async () => {
    expect(await cli('instal')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'g2d-native: unknown command "instal"; the commands are install and doctor.\n',
    });
    expect(await cli('install', '--gpuu')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("'--gpuu'"),
    });
    expect(await cli('install', '--cpu', '--gpu')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('not both'),
    });
    expect(await cli('install', '--version', 'foo', '--project', fakeProject())).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^g2d-native: --version must be a TensorFlow release .*\n$/),
    });
  });

  it('prints errors as JSON too', async () => {
    const { code, stdout } = await cli('install', '--json', '--version', 'foo', '--project', fakeProject());
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'G2D_NATIVE_OPTION', details: { value: 'foo' } },
    });
  });

  it('exits with 1 and a sentence where no index is named and pip is missing', async () => {
    vi.stubEnv('PATH', temporaryFolder());
    vi.stubEnv('PYTHON', '');
    for (const name of ['G2D_INDEX', 'PIP_INDEX_URL', 'UV_DEFAULT_INDEX', 'UV_INDEX_URL'])
      vi.stubEnv(name, '');
    vi.stubEnv('PIP_CONFIG_FILE', '/dev/null');
    vi.stubEnv('UV_CONFIG_FILE', '/dev/null');
    const result = await cli('install', '--project', fakeProject(), '--dir', temporaryFolder());
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/^g2d-native: No Python package index is named/m);
  });

  it('changes nothing in this repository once TensorFlow is installed', () => {
    const { stdout, status } = spawnSync(process.execPath, [bin, 'install', '--json'], { encoding: 'utf8' });
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'unchanged', backend: 'tensorflow' });
  });
});
