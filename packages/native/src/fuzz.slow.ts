import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'g2d-fuzz-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Builds the fuzzer with the compiler's sanitizers, which end it at the first wrong access. */
function build(name: string): string {
  const flags = ['-O1', '-g', '-std=c++17', '-pthread', '-ffp-contract=off', '-Wno-psabi'];
  const checks = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
  const [source, file] = [here(`../test/${name}.cc`), join(folder, name)];
  const { status, stderr } = spawnSync(
    process.env['CXX'] ?? 'g++',
    [...flags, ...checks, `-I${here('./kernels')}`, source, '-o', file],
    { encoding: 'utf8' },
  );
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  return file;
}

/** What it prints. */
function run(file: string, vectors: string, threads: string): Record<string, number | string> {
  const { status, stdout, stderr } = spawnSync(file, {
    encoding: 'utf8',
    env: { ...process.env, ONEDNN_MAX_CPU_ISA: vectors, TF_NUM_INTRAOP_THREADS: threads },
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout) as Record<string, number | string>;
}

describe('rows and attention of random shapes', () => {
  let file = '';
  beforeAll(() => void (file = build('fuzz-rows')), 300_000);

  // Loops for AVX2, with products for AVX-512 where the processor has it; the portable ones.
  it.each(['AVX512_CORE', 'AVX2', 'SSE41'])('are those of double precision, up to %s', (vectors) => {
    const { dropout, layerNorm, attention, noise } = run(file, vectors, '3');
    expect(dropout).toBeLessThan(1e-7);
    expect(layerNorm).toBeLessThan(2e-5);
    expect(attention).toBeLessThan(1e-5);
    // In standard errors.
    expect(noise).toBeLessThan(5);
  });
});

describe('batch normalization, pooling and depthwise convolution of random shapes', () => {
  let file = '';
  beforeAll(() => void (file = build('fuzz-images')), 300_000);

  it('are those of double precision, with the same bits from all vectors and threads', () => {
    const [one, ...others] = [
      ['SSE41', '1'],
      ['AVX2', '3'],
      ['AVX512_CORE', '2'],
    ].map(([vectors, threads]) => run(file, vectors!, threads!));
    // Values around 1000 have lost three digits before they are summed up.
    expect(one!['moments']).toBeLessThan(1e-4);
    expect(one!['batchNorm']).toBeLessThan(2e-6);
    expect(one!['pool']).toBeLessThan(1e-6);
    expect(one!['depthwise']).toBeLessThan(1e-6);
    expect(others).toEqual([one, one]);
  });
});

describe('convolutions of random shapes', () => {
  let file = '';
  beforeAll(() => void (file = build('fuzz-convolution')), 300_000);

  it('are those of double precision, with the same bits from all vectors and threads, and for an image alone', () => {
    const [one, ...others] = [
      ['AVX2', '1'],
      ['AVX2', '3'],
      ['AVX512_CORE', '2'],
    ].map(([vectors, threads]) => run(file, vectors!, threads!));
    if (others.every((found) => Object.keys(found).length === 0)) return;
    expect(one!['two']).toBeLessThan(1e-6);
    expect(one!['four']).toBeLessThan(5e-6);
    expect(one!['strided']).toBeLessThan(1e-6);
    expect(one!['windows']).toBeLessThan(3e-6);
    expect(others).toEqual([one, one]);
  });
});
