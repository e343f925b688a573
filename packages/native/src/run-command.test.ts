import { existsSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../test/fake-wheel.js';
import { runCommand } from './run-command.js';

const node = (program: string, options = {}) => runCommand(process.execPath, ['-e', program], options);

describe('runCommand', () => {
  it('gives the exit code and what was printed', async () => {
    expect(await node('console.log("out"); console.error("err"); process.exitCode = 3')).toEqual({
      code: 3,
      stdout: 'out\n',
      stderr: 'err\n',
      startError: null,
    });
  });

  it('says when there is no such program', async () => {
    expect(await runCommand('no-such-program-anywhere', [])).toMatchObject({
      code: null,
      startError: 'ENOENT',
    });
  });

  it('runs in an empty folder of its own, which is gone afterwards', async () => {
    const program = "console.log(JSON.stringify([process.cwd(), require('node:fs').readdirSync('.')]))";
    const [folder, names] = JSON.parse((await node(program)).stdout) as [string, string[]];
    expect(folder).not.toBe(process.cwd());
    expect(names).toEqual([]);
    expect(existsSync(folder)).toBe(false);
    const chosen = realpathSync(temporaryFolder());
    expect(JSON.parse((await node(program, { cwd: chosen })).stdout)[0]).toBe(chosen);
  });

  it('looks for no program in the current folder, but takes a path from there', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'g2d-stranger'), '#!/bin/sh\necho stranger\n', { mode: 0o755 });
    const before = process.cwd();
    process.chdir(folder);
    try {
      for (const PATH of ['.', '', `:${process.env['PATH']}`]) {
        const found = await runCommand('g2d-stranger', [], { env: { ...process.env, PATH }, cwd: folder });
        expect(found).toMatchObject({ stdout: '', startError: 'ENOENT' });
      }
      expect((await runCommand('./g2d-stranger', [])).stdout).toBe('stranger\n');
    } finally {
      process.chdir(before);
    }
  });

  it('ends a program on abort and after its time', async () => {
    const signal = AbortSignal.timeout(200);
    expect(await node('setTimeout(() => {}, 20000)', { signal })).toMatchObject({ code: null });
    expect(await node('setTimeout(() => {}, 20000)', { timeoutMs: 200 })).toMatchObject({ code: null });
  });
});
