// `npm start` as a user runs it, with two epochs.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'g2d-start-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const command = ['--conditions=@g2d/source', '--import', 'tsx', join(import.meta.dirname, 'main.ts')];
const start = (...args: string[]) =>
  spawnSync(process.execPath, [...command, ...args], { cwd: root, encoding: 'utf8' });
const json = (...path: string[]) => JSON.parse(readFileSync(join(...path), 'utf8'));

const METHODS = ['joint', 'smp', 'g2d-loss', 'g2d'];

describe('npm start', () => {
  it('goes on after Ctrl-C with what is finished, and ends with a table, a summary and a report', async () => {
    const out = join(folder, 'run');
    const args = ['--epochs', '2', '--seed', '3', '--out', out];
    const first = spawn(process.execPath, [...command, ...args], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let errors = '';
    first.stderr.on('data', (chunk) => (errors += chunk));
    const finished = join(out, 'teacher-audio', 'summary.json');
    while (!existsSync(finished) && first.exitCode === null) await setTimeout(50);
    first.kill('SIGINT');
    await once(first, 'exit');
    expect(first.exitCode).toBe(130);
    expect(errors).toMatch(/Interrupted; everything is saved in .*The same command goes on/);
    expect(existsSync(join(out, 'summary.json'))).toBe(false);
    const written = statSync(finished).mtimeMs;

    const { status, stdout, stderr } = start(...args);
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/going on with the interrupted run/);
    expect(statSync(finished).mtimeMs).toBe(written);
    expect(stdout).toMatch(/G2D +\d/);
    expect(stdout).toMatch(/Confidence of the teachers .*: audio [01]\.\d{3}, image [01]\.\d{3}/);

    const summary = json(out, 'summary.json');
    expect(summary).toMatchObject({
      seed: 3,
      backend: 'tensorflow',
      tensorflow: expect.stringMatching(/^\d+\.\d+/),
    });
    expect(Object.keys(summary.results)).toEqual([...METHODS, 'teacher-mean']);
    for (const { test, validation } of Object.values(summary.results) as Record<string, object>[]) {
      expect(Object.keys(test!)).toEqual(['fused', 'audio', 'image']);
      expect(Object.keys(validation!)).toEqual(['fused', 'audio', 'image']);
    }
    expect(Object.keys(summary.teachers)).toEqual(['audio', 'image']);
    expect(Object.keys(summary.seconds)).toEqual(['teacher-audio', 'teacher-image', ...METHODS]);
    const lines = readFileSync(join(out, 'g2d', 'metrics.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((l) => JSON.parse(l));
    expect(lines.map(({ epoch }) => epoch)).toEqual([1, 2]);
    // (1, 1) phases: one modality in the first epoch, both in the second.
    expect(lines[0].coefficients.audio + lines[0].coefficients.image).toBeCloseTo(1, 6);
    expect(lines[1].coefficients).toEqual({ audio: 1, image: 1 });
    const report = readFileSync(join(out, 'report.html'), 'utf8');
    expect(report).toContain('data:audio/wav');
    expect(report).toContain('npm start -- --epochs 2 --seed 3');
    expect(report).not.toMatch(/(src|href)="https?:/);
    expect(readdirSync(folder)).toEqual(['run']);
  });

  it('explains itself', () => {
    const { status, stdout } = start('--help');
    expect(status).toBe(0);
    for (const option of ['--epochs', '--seed', '--scope', '--out']) expect(stdout).toContain(option);
  });

  it.each([
    [['--epochs', '0'], '--epochs is "0"; it must be a whole number of at least 1.'],
    [['--seed', 'x'], '"seed" is "x"'],
    [['--scope', 'all'], '"methodOptions.smp.scope" is "all"; it must be "conv", "encoder", "encoder+head".'],
    [['--epoch', '3'], "Unknown option '--epoch'"],
    [['--epochs', '1', '--out', 'packages'], 'holds files that are not of an experiment'],
  ])('answers %j with a sentence', (args, message) => {
    const { status, stderr } = start(...args);
    expect(status).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('    at ');
  });
});
