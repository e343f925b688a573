import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../test/fake-wheel.js';
import { findCompiler } from './build-addon.js';

const source = fileURLToPath(new URL('../test/fuzz-product.cc', import.meta.url));
const flags =
  '-O1 -g -std=c++17 -pthread -ffp-contract=off -w -fsanitize=address,undefined -fno-sanitize-recover=all';

it('multiplies what lies anywhere, and touches nothing else', async () => {
  const compiler = await findCompiler();
  if (!compiler) return;
  const program = join(temporaryFolder(), 'fuzz');
  const built = spawnSync(compiler.command, [...flags.split(' '), source, '-o', program], {
    encoding: 'utf8',
  });
  // A compiler may come without the sanitizers' libraries.
  if (/cannot find .*(asan|ubsan)/.test(built.stderr)) return;
  expect(built.stderr).toBe('');
  for (const threads of ['1', '3']) {
    const { stdout, stderr } = spawnSync(program, ['60'], {
      encoding: 'utf8',
      env: { ...process.env, TF_NUM_INTRAOP_THREADS: threads },
    });
    expect([stderr, stdout.trim()]).toEqual(['', expect.stringMatching(/^(right|no vectors)$/)]);
  }
});
