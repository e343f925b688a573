// Everything that CI runs, in one command: `npm test`. Each part is also a script of its own in package.json.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const results = mkdtempSync(join(tmpdir(), 'g2d-test-'));
/** A part that vitest runs, with a report to count. */
const tests = (name, project, { files = [], env = {} } = {}) => {
  const report = join(results, `${name}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  return {
    name,
    command: ['npx', 'vitest', 'run', '--project', project, ...reporters, ...files],
    env,
    report,
  };
};
const part = (name, ...command) => ({ name, command, env: {} });

// Numbers must hold on every processor, and no memory may be read that nobody wrote: what computes is tested again as where
// oneDNN has fewer instructions or is off (TensorFlow's choice without AVX-512), with fresh memory filled with something.
const hasAvx512 = existsSync('/proc/cpuinfo') && /\bavx512bw\b/.test(readFileSync('/proc/cpuinfo', 'utf8'));
const elsewhere = [
  ['AVX2, without oneDNN', { ONEDNN_MAX_CPU_ISA: 'AVX2', TF_ENABLE_ONEDNN_OPTS: '0' }, []],
  ['AVX2', { ONEDNN_MAX_CPU_ISA: 'AVX2' }, ['packages/accelerate', 'packages/tensor-ops']],
  ['SSE', { ONEDNN_MAX_CPU_ISA: 'SSE41' }, ['packages/accelerate', 'packages/tensor-ops']],
  [
    'AVX-512 without bfloat16',
    // Large tensors come from malloc too.
    { ONEDNN_MAX_CPU_ISA: 'AVX512_CORE', TF_ONEDNN_USE_SYSTEM_ALLOCATOR: '1' },
    ['packages/accelerate', 'packages/tensor-ops', 'packages/encoders'],
  ],
]
  .slice(0, hasAvx512 ? 4 : 3)
  .map(([name, env, files]) =>
    tests(`numbers with ${name}`, 'numeric', { files, env: { MALLOC_PERTURB_: '165', ...env } }),
  );

const parts = [
  part('TensorFlow', 'npm', 'run', '--silent', 'tensorflow'),
  part('processor', 'npm', 'run', '--silent', 'processor'),
  part('format', 'npx', 'prettier', '--check', '--log-level', 'warn', '.'),
  part('lint', 'npm', 'run', '--silent', 'lint'),
  part('types', 'npm', 'run', '--silent', 'typecheck'),
  tests('unit tests', 'unit'),
  ...elsewhere,
  tests('slow tests', 'slow'),
  // With the API pages, and a look at every link.
  part('site', 'npm', 'run', '--silent', 'site'),
  part('build', 'npm', 'run', '--silent', 'build'),
  part('package checks', 'npx', 'turbo', 'run', 'check:package', '--output-logs=errors-only'),
  tests('packaging tests', 'packaging'),
];

let passed = 0;
let failed = 0;
const broken = [];
for (const { name, command, env, report } of parts) {
  const started = performance.now();
  console.log(`\n── ${name}`);
  const [program, ...args] = command;
  const { status } = spawnSync(program, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  });
  console.log(
    `── ${name}: ${status === 0 ? 'ok' : 'FAILED'} (${((performance.now() - started) / 1000).toFixed(0)} s)`,
  );
  const counts = report && readReport(report);
  passed += counts?.numPassedTests ?? 0;
  // A part that fails without a failing test, such as lint, counts as one failure.
  failed += counts?.numFailedTests || (status === 0 ? 0 : 1);
  if (status !== 0) broken.push(name);
}
rmSync(results, { recursive: true, force: true });
if (broken.length > 0) console.log(`\nFailed: ${broken.join(', ')}`);
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    // The part did not get as far as a report; its exit code says that it failed.
    return undefined;
  }
}
