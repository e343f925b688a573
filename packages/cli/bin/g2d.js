#!/usr/bin/env node
// In a clone of the repository the command runs from the sources; in an installed package from `dist`.
import { existsSync } from 'node:fs';
import { register } from 'node:module';

const inClone = existsSync(new URL('../../../tsconfig.base.json', import.meta.url));
// In one process, so that Ctrl-C and the exit code reach the command as they are.
if (inClone) {
  (await import('tsx/esm/api')).register();
  register('./source-condition.js', import.meta.url);
}
const { runProcess } = await import(inClone ? '../src/main.ts' : '../dist/main.js');
await runProcess();
