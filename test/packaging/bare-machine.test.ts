// A machine with nothing but Node: a root of its own with Node, npm, a shell and glibc, no Python, no compiler. From a clean copy to the table and the report.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const jail = mkdtempSync(join(tmpdir(), 'g2d-bare-machine-'));

const output = (command: string, ...args: string[]) => {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? stdout : '';
};

/** The index that is named on the machine of the test, else the one that its pip has of itself: the jail has no pip to ask. */
const index =
  process.env['PIP_INDEX_URL'] ??
  /\(default (https?:\S+)\)/.exec(
    output('python3', '-m', 'pip', 'download', '--help').replaceAll(/\s+/g, ' '),
  )?.[1];
const canEnter = () => spawnSync('unshare', ['-m', 'true']).status === 0;
const canRun = process.platform === 'linux' && process.getuid?.() === 0 && index !== undefined && canEnter();

/** Copies a file to the same place in the jail. */
function bring(file: string, to = file): void {
  mkdirSync(dirname(join(jail, to)), { recursive: true });
  copyFileSync(realpathSync(file), join(jail, to));
}

/** A program and the libraries that it loads. */
function bringProgram(program: string, to: string): void {
  bring(program, to);
  for (const [library] of output('ldd', program).matchAll(/\/\S+/g)) bring(library!);
}

/** All of glibc, beside what Node itself needs: it is one package everywhere. */
function bringGlibc(): void {
  const folder = dirname(/\/\S+libc\.so\.6/.exec(output('ldd', process.execPath))![0]);
  const ours = /^(?:lib(?:c|m|rt|dl|pthread|resolv|nss_dns|nss_files|util)\.so\.\d)$/;
  for (const name of readdirSync(folder).filter((one) => ours.test(one))) bring(join(folder, name));
}

beforeAll(() => {
  if (!canRun) return;
  bringProgram(process.execPath, '/usr/bin/node');
  bringProgram('/bin/sh', '/bin/sh');
  bringProgram('/usr/bin/env', '/usr/bin/env');
  bringGlibc();
  const npm = dirname(
    dirname(realpathSync(execFileSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).trim())),
  );
  cpSync(npm, join(jail, 'usr/lib/npm'), { recursive: true });
  for (const name of ['npm', 'npx']) {
    const file = join(jail, 'usr/bin', name);
    writeFileSync(file, `#!/bin/sh\nexec node /usr/lib/npm/bin/${name}-cli.js "$@"\n`);
    chmodSync(file, 0o755);
  }
  for (const folder of ['tmp', 'root', 'work', 'dev', 'proc'])
    mkdirSync(join(jail, folder), { recursive: true });
  for (const file of [
    '/etc/resolv.conf',
    '/etc/hosts',
    '/etc/nsswitch.conf',
    '/etc/ssl/certs/ca-certificates.crt',
  ])
    if (existsSync(file)) bring(file);
  // Which registry npm asks, and nothing else of this user.
  const npmrc = join(homedir(), '.npmrc');
  if (existsSync(npmrc)) bring(npmrc, '/root/.npmrc');
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  for (const file of files.split('\0').filter((name) => name && existsSync(join(root, name))))
    cpSync(join(root, file), join(jail, 'work', file));
  for (const name of ['null', 'urandom'])
    execFileSync('cp', ['-a', `/dev/${basename(name)}`, join(jail, 'dev', name)]);
});
afterAll(() => rmSync(jail, { recursive: true, force: true }));

const kept = Object.entries(process.env).filter(([name]) =>
  /^(?:NODE_EXTRA_CA_CERTS|(?:https?|no)_proxy)$/i.test(name),
);

/** Runs a command line in the jail. */
function inside(line: string, env: Record<string, string> = {}) {
  const variables = { PATH: '/usr/bin:/bin', HOME: '/root', ...Object.fromEntries(kept), ...env };
  const set = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  // /proc, which TensorFlow reads, is mounted for this one process alone.
  const enter = 'mount -t proc proc "$0/proc" && exec chroot "$0" /usr/bin/env -i "$@"';
  const args = ['-m', 'sh', '-c', enter, jail, ...set, '/bin/sh', '-c', `cd /work && ${line}`];
  const { status, stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  return { status, stdout, stderr };
}

describe.runIf(canRun)('a machine with nothing but Node', () => {
  it('installs TensorFlow, trains and prints its table after npm ci and npm start', () => {
    const installed = inside('npm ci --no-audit --no-fund');
    expect(installed.status, installed.stderr).toBe(0);
    // No index is named: one sentence says what to set, and WebAssembly is there.
    const unnamed = inside('npx g2d-native install');
    expect(unnamed.status).toBe(1);
    expect(unnamed.stderr).toMatch(/No Python package index is named .* set PIP_INDEX_URL or G2D_INDEX/);
    expect(inside('npx g2d-native doctor').stdout).toMatch(/loadTensorFlow\(\) uses: wasm/);
    const started = inside('npm start -- --epochs 2', { PIP_INDEX_URL: index! });
    expect(started.status, started.stderr).toBe(0);
    expect(started.stderr).toMatch(/backend tensorflow \(TensorFlow [\d.]+, CPU\)/);
    expect(started.stderr).not.toMatch(/Building|without the kernels/);
    expect(started.stdout).toMatch(/^G2D +\d+\.\d/m);
    expect(existsSync(join(jail, 'work/runs/av-mnist-small/report.html'))).toBe(true);
  }, 900_000);
});
