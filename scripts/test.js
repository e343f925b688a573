// Everything that CI runs, in one command: `npm test`. Each part is also a script of its own in package.json.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const results = mkdtempSync(join(tmpdir(), 'g2d-test-'));
const vitest = (project) => [
  'vitest',
  'run',
  '--project',
  project,
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${join(results, `${project}.json`)}`,
];

const parts = [
  ['TensorFlow', ['npm', 'run', '--silent', 'tensorflow']],
  ['format', ['npx', 'prettier', '--check', '--log-level', 'warn', '.']],
  ['lint', ['npm', 'run', '--silent', 'lint']],
  ['types', ['npm', 'run', '--silent', 'typecheck']],
  ['API pages', ['npm', 'run', '--silent', 'docs', '--', '--logLevel', 'Warn']],
  ['unit tests', ['npx', ...vitest('unit')]],
  ['slow tests', ['npx', ...vitest('slow')]],
  ['build', ['npm', 'run', '--silent', 'build']],
  ['package checks', ['npx', 'turbo', 'run', 'check:package', '--output-logs=errors-only']],
  ['packaging tests', ['npx', ...vitest('packaging')]],
];

let passed = 0;
let failed = 0;
const broken = [];
for (const [name, [command, ...args]] of parts) {
  const started = performance.now();
  console.log(`\n── ${name}`);
  const { status } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  console.log(
    `── ${name}: ${status === 0 ? 'ok' : 'FAILED'} (${((performance.now() - started) / 1000).toFixed(0)} s)`,
  );
  if (status !== 0) broken.push(name);
}
for (const project of ['unit', 'slow', 'packaging']) {
  try {
    const report = JSON.parse(readFileSync(join(results, `${project}.json`), 'utf8'));
    passed += report.numPassedTests;
    failed += report.numFailedTests;
  } catch {
    // The part did not get as far as a report; it is among the broken ones.
  }
}
rmSync(results, { recursive: true, force: true });
// A part that fails without a failing test, such as lint, counts as one failure.
failed += broken.filter((name) => !name.endsWith('tests')).length;
if (broken.length > 0) {
  console.log(`\nFailed: ${broken.join(', ')}`);
  failed = Math.max(failed, 1);
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
