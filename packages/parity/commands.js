// What `g2d` finds: the sources in a clone, the built commands in the packed package.
import { existsSync } from 'node:fs';

const inClone = existsSync(new URL('src/commands.ts', import.meta.url));
export default (await import(inClone ? './src/commands.ts' : './dist/commands.js')).default;
