import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Builds the fuzzer with the compiler's sanitizers, which end it at the first wrong access. */
function build(file: string): void {
  const flags = ['-O1', '-g', '-std=c++17', '-pthread', '-ffp-contract=off', '-Wno-psabi'];
  const checks = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
  const source = here('../test/fuzz-rows.cc');
  const { status, stderr } = spawnSync(
    process.env['CXX'] ?? 'g++',
    [...flags, ...checks, `-I${here('./kernels')}`, source, '-o', file],
    { encoding: 'utf8' },
  );
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
}

describe('rows and attention of random shapes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'g2d-fuzz-'));
  const file = join(folder, 'fuzz-rows');
  beforeAll(() => build(file), 300_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  // Loops for AVX2, with products for AVX-512 where the processor has it; the portable ones.
  it.each(['AVX512_CORE', 'AVX2', 'SSE41'])('are those of double precision, up to %s', (vectors) => {
    const { status, stdout, stderr } = spawnSync(file, {
      encoding: 'utf8',
      env: { ...process.env, ONEDNN_MAX_CPU_ISA: vectors, TF_NUM_INTRAOP_THREADS: '3' },
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const { dropout, layerNorm, attention, noise } = JSON.parse(stdout) as Record<string, number>;
    expect(dropout).toBeLessThan(1e-7);
    expect(layerNorm).toBeLessThan(2e-5);
    expect(attention).toBeLessThan(1e-5);
    // In standard errors.
    expect(noise).toBeLessThan(5);
  });
});
