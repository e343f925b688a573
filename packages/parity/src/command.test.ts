import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { changedCase, publicCases, temporaryFolder } from '../test/parity-files.js';
import { main } from '@g2d/cli';

/** Runs a command line in this process. */
async function g2d(...args: string[]) {
  let [stdout, stderr] = ['', ''];
  const code = await main(args, { out: (text) => (stdout += text), err: (text) => (stderr += text) });
  return { code, stdout, stderr };
}

const losses = join(publicCases, 'losses');

describe('g2d parity', () => {
  it('explains itself', async () => {
    const { code, stdout } = await g2d('parity', '--help');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^Usage: g2d parity \[options\] <folder>…[\s\S]*--json[\s\S]*Exit code[\s\S]*Example/,
    );
  });

  it('prints each case with the quantity closest to its tolerance', async () => {
    const { code, stdout } = await g2d('parity', '--backend', 'tensorflow', losses);
    expect(stdout).toMatch(/^case +status +closest to its tolerance/);
    expect(stdout).toMatch(/\nlosses +pass +tables\[\d\]\.\S+ +\d\.\de-\d+ +\d\.\de-\d+ +\d+ %/);
    expect(stdout).toMatch(/\n1 case: 1 pass, 0 inconclusive, 0 fail\n$/);
    expect(code).toBe(0);
  });

  it('prints every quantity next to its tolerance', async () => {
    const { stdout } = await g2d('parity', '--verbose', losses);
    expect(stdout).toMatch(/\n +tables\[0\]\.ce\.value +\S+ +2\.2e-5 +\d+ %\n/);
    expect(stdout).toMatch(/\n +tables\[0\]\.strongest +0 +0 +equal\n/);
    expect(stdout.split('\n').length).toBeGreaterThan(134);
  });

  it('prints JSON in the form that scripts rely on', async () => {
    const { code, stdout } = await g2d('parity', '--json', losses, losses);
    expect(code).toBe(0);
    const { cases } = JSON.parse(stdout) as { cases: object[] };
    expect(cases).toHaveLength(2);
    expect(cases[0]).toEqual({
      name: 'losses',
      status: 'pass',
      worst: {
        key: expect.stringMatching(/^tables\[/),
        deviation: expect.any(Number),
        tolerance: expect.any(Number),
      },
      seconds: expect.any(Number),
    });
  });

  it('exits with 1 and says where a case fails', async () => {
    const { folder } = changedCase('losses', {
      expected: (file) => {
        file.truth.tables[0].ce.value += 1e-4;
        file.truth.tables[1].strongest = file.truth.tables[1].strongest === 'audio' ? 'visual' : 'audio';
      },
    });
    const text = await g2d('parity', losses, folder);
    expect(text.code).toBe(1);
    expect(text.stdout).toContain('2 cases: 1 pass, 0 inconclusive, 1 fail');
    expect(text.stdout).toMatch(
      /losses: 2 of 134 beyond, at first tables\[0\]\.ce\.value, 1\.0e-4 where 2\.2e-5 is allowed\. .* a mistake/,
    );
    const json = await g2d('parity', '--json', '--verbose', folder);
    expect(json.code).toBe(1);
    const [report] = (
      JSON.parse(json.stdout) as { cases: { status: string; worst: object; quantities: object[] }[] }
    ).cases;
    expect(report).toMatchObject({
      status: 'fail',
      worst: { key: 'tables[1].strongest', deviation: Number.MAX_VALUE, tolerance: 0 },
    });
    expect(report?.quantities).toHaveLength(134);
  });

  it('leaves no tensor behind', async () => {
    await g2d('parity', losses);
    const { numTensors } = tf.memory();
    await g2d('parity', losses, losses);
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  const broken = changedCase('losses', { case: (file) => void (file.sed = 1) });
  const truncated = changedCase('losses', { expected: (file) => JSON.stringify(file).slice(0, 500) });
  it.each<[problem: string, args: string[], message: RegExp]>([
    ['no folder', [], /^g2d: No folder is given\. .*\n$/],
    ['a folder that does not exist', ['no/such'], /^g2d: no\/such does not exist\. .*\n$/],
    ['a folder without cases', [temporaryFolder()], /^g2d: \S+ holds no case\. .*\n$/],
    [
      'an unknown option',
      ['--jsn', losses],
      /^g2d: Unknown option '--jsn' \(did you mean --json\?\); see g2d parity --help\.\n$/,
    ],
    [
      'an unknown backend',
      ['--backend', 'gpu', losses],
      /^g2d: --backend is "gpu"; it can be tensorflow, wasm, cpu\.\n$/,
    ],
    [
      'an unknown key, before anything is computed',
      [losses, broken.folder],
      /^g2d: \S+case\.json: the key `sed` is unknown; .*\n$/,
    ],
    ['a truncated file', [truncated.folder], /^g2d: \S+expected\.json: not valid JSON: .*\n$/],
  ])('exits with 2 and one sentence for %s', async (_, args, message) => {
    const { code, stdout, stderr } = await g2d('parity', ...args);
    expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  it('prints errors as JSON too', async () => {
    const { code, stdout } = await g2d('parity', '--json', broken.folder);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'G2D_FILE_FORMAT', details: { path: broken.case } },
    });
  });
});

describe('g2d', () => {
  it('lists its commands', async () => {
    expect(await g2d('--help')).toMatchObject({ code: 0, stdout: expect.stringMatching(/parity +runs/) });
    expect(await g2d()).toMatchObject({ code: 2, stdout: '' });
  });

  it('refuses a command that it does not have', async () => {
    expect(await g2d('party')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^g2d: There is no command "party"; the commands are .*parity.*\.\n$/),
    });
    expect((await g2d('toString')).code).toBe(2);
  });

  it('runs from a clone without a build, in any folder', () => {
    const bin = fileURLToPath(new URL('../../cli/bin/g2d.js', import.meta.url));
    const { status, stdout } = spawnSync(process.execPath, [bin, 'parity', '--json', losses], {
      encoding: 'utf8',
      cwd: tmpdir(),
    });
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ cases: [{ name: 'losses', status: 'pass' }] });
  });
});
