import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRunGroup } from './run-group.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'g2d-runs-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

describe('openRunGroup', () => {
  it('starts a folder with its configuration and frees it in the end', async () => {
    const group = await openRunGroup(join(root, 'a'), { seed: 1, note: undefined });
    expect(group.resumed).toBe(false);
    expect(json(join(group.path, 'config.json'))).toEqual({ kind: 'g2d-run-group', seed: 1 });
    await group.release();
    expect(existsSync(join(root, 'a.lock'))).toBe(false);
  });

  it('goes on with an interrupted experiment of the same configuration', async () => {
    const first = await openRunGroup(join(root, 'a'), { seed: 1 });
    writeFileSync(join(first.path, 'kept'), '');
    await first.release();
    const second = await openRunGroup(join(root, 'a'), { seed: 1 });
    expect([second.resumed, existsSync(join(second.path, 'kept'))]).toEqual([true, true]);
    await second.release();
  });

  it('moves a finished experiment, or another configuration, aside', async () => {
    const first = await openRunGroup(join(root, 'a'), { seed: 1 });
    first.finish({ done: 1 });
    await first.release();
    const second = await openRunGroup(join(root, 'a'), { seed: 1 });
    expect(second.resumed).toBe(false);
    expect(json(join(root, 'a.previous', 'summary.json'))).toEqual({ done: 1 });
    await second.release();
    const third = await openRunGroup(join(root, 'a'), { seed: 2 });
    expect(third.resumed).toBe(false);
    expect(json(join(root, 'a.previous', 'config.json'))).toMatchObject({ seed: 1 });
    await third.release();
  });

  it.each(['a', 'a.previous'])('never touches a folder that is not an experiment: %s', async (name) => {
    // An experiment to be moved aside, unless the foreign folder is in its place.
    if (name !== 'a') {
      const group = await openRunGroup(join(root, 'a'), {});
      group.finish({});
      await group.release();
    }
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, 'thesis.tex'), 'years of work');
    await expect(openRunGroup(join(root, 'a'), {})).rejects.toThrow(/not of an experiment \(thesis\.tex\)/);
    expect(readFileSync(join(root, name, 'thesis.tex'), 'utf8')).toBe('years of work');
    expect(existsSync(join(root, 'a.lock'))).toBe(false);
  });

  it('says what is wrong with a path that is a file, or lies below one', async () => {
    writeFileSync(join(root, 'file'), '');
    await expect(openRunGroup(join(root, 'file'), {})).rejects.toThrow(/is a file, and is left alone/);
    await expect(openRunGroup(join(root, 'file', 'x'), {})).rejects.toThrow(
      /cannot be used for runs: .*Choose another/,
    );
  });

  it('takes the next folder while another process uses the first', async () => {
    // A process of its own: within one process the lock is known without the file.
    const lockfile = new URL('../../../../node_modules/proper-lockfile/index.js', import.meta.url).pathname;
    const holder = spawn(process.execPath, [
      '-e',
      `require(${JSON.stringify(lockfile)}).lock(${JSON.stringify(join(root, 'a'))}, { realpath: false }).then(() => console.log('held'));
       setTimeout(() => {}, 60000);`,
    ]);
    await once(holder.stdout, 'data');
    try {
      let waited = false;
      const group = await openRunGroup(join(root, 'a'), {}, { onWait: () => (waited = true) });
      expect([group.path, waited]).toEqual([join(root, 'a-2'), true]);
      await group.release();
    } finally {
      holder.kill('SIGKILL');
    }
    // The lock of the killed process goes stale, and the folder is free again.
    const group = await openRunGroup(join(root, 'a'), {});
    expect(group.path).toBe(join(root, 'a'));
    await group.release();
  }, 60_000);
});
