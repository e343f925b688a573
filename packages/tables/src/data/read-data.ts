import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { checkFile, parseJson } from '@g2d/core/run-folder';
import type { z } from 'zod';

/** A file of this package's `data`, checked. */
export function readData<T>(name: string, schema: z.ZodType<T>): T {
  const home = dirname(createRequire(import.meta.url).resolve('@g2d/tables/package.json'));
  const path = join(home, 'data', name);
  return checkFile(schema, parseJson(readFileSync(path), { path }), { path });
}
