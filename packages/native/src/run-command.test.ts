import { describe, expect, it } from 'vitest';
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

  it('ends a program on abort and after its time', async () => {
    const signal = AbortSignal.timeout(200);
    expect(await node('setTimeout(() => {}, 20000)', { signal })).toMatchObject({ code: null });
    expect(await node('setTimeout(() => {}, 20000)', { timeoutMs: 200 })).toMatchObject({ code: null });
  });
});
