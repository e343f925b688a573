import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { tmpdir } from 'node:os';
import { afterAll, expect, it } from 'vitest';
import { withAbsolutePath } from './absolute-path.js';

const folder = mkdtempSync(join(tmpdir(), 'g2d-path-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('leaves out what is relative', () => {
  const PATH = ['/usr/bin', '.', '', 'bin', '/bin'].join(delimiter);
  expect(withAbsolutePath({ PATH, HOME: '/' })).toEqual({ PATH: `/usr/bin${delimiter}/bin`, HOME: '/' });
  expect(withAbsolutePath({ HOME: '/' })).toEqual({ HOME: '/' });
  // An empty path is the current folder.
  expect(withAbsolutePath({ PATH: '.', HOME: '/' })).toEqual({ HOME: '/' });
});

it('starts no git that lies in the current folder', () => {
  writeFileSync(join(folder, 'git'), '#!/bin/sh\ntouch executed\necho stranger\n', { mode: 0o755 });
  const environment = JSON.stringify(new URL('../environment.ts', import.meta.url).href);
  const program = `const { describeEnvironment } = await import(${environment}); console.log(describeEnvironment().gitCommit);`;
  const args = [
    '--conditions=@g2d/source',
    '--import',
    import.meta.resolve('tsx'),
    '--input-type=module',
    '-e',
  ];
  const { stdout, stderr } = spawnSync(process.execPath, [...args, program], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, PATH: `.${delimiter}${process.env['PATH']}` },
  });
  expect([stdout.trim(), stderr]).toEqual(['null', expect.not.stringContaining('Error')]);
  expect(existsSync(join(folder, 'executed'))).toBe(false);
});
