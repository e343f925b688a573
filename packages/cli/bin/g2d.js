#!/usr/bin/env node
// In a clone of the repository the command runs from the sources; in an installed package from `dist`.
import { existsSync } from 'node:fs';
import { register } from 'node:module';

try {
  process.cwd();
} catch {
  console.error(
    'g2d: The folder in which g2d was started is not there any more. Go to another one (cd), and try again.',
  );
  process.exit(2);
}
const inClone = existsSync(new URL('../../../tsconfig.base.json', import.meta.url));
// In one process, so that Ctrl-C and the exit code reach the command as they are.
if (inClone) {
  (await import('tsx/esm/api')).register();
  register('./source-condition.js', import.meta.url);
}
const { runProcess } = await import(inClone ? '../src/main.ts' : '../dist/main.js');
await runProcess();
