import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const source = fileURLToPath(new URL('../../wasm/fuzz.c', import.meta.url));
const compiler = process.env['CC'] ?? 'cc';
const hasCompiler = spawnSync(compiler, ['--version']).status === 0;

describe('the kernels for WebAssembly, compiled for this machine', () => {
  it.skipIf(!hasCompiler)(
    'equal plain loops in double precision on random shapes, within their memory',
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'g2d-fuzz-'));
      try {
        const program = join(folder, 'fuzz');
        const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
        const options = ['-std=gnu11', '-O1', '-ffp-contract=off', ...sanitizers];
        execFileSync(compiler, [...options, '-o', program, source, '-lm']);
        const { status, stdout, stderr } = spawnSync(program, ['1000'], { encoding: 'utf8' });
        expect(`${stdout}${stderr}`).toBe('');
        expect(status).toBe(0);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
});
