// What `g2d` finds: the sources in a clone, the built commands in the packed package.
import { existsSync } from 'node:fs';

const [sources, built] = ['src/commands.ts', 'dist/commands.js'].map(
  (path) => new URL(path, import.meta.url),
);
export default (await import(existsSync(sources) ? sources.href : built.href)).default;
