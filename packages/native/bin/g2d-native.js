#!/usr/bin/env node
// In a clone of the repository the command runs from the sources; in an installed package from `dist`.
import { existsSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

if (existsSync(path('../../../tsconfig.base.json'))) {
  const { status, signal } = spawnSync(
    process.execPath,
    [
      '--conditions=@g2d/source',
      '--import',
      import.meta.resolve('tsx'),
      path('../src/cli.ts'),
      ...process.argv.slice(2),
    ],
    { stdio: 'inherit' },
  );
  if (signal) process.kill(process.pid, signal);
  process.exit(status ?? 1);
} else {
  await import('../dist/cli.js');
}
