import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readmesWithTables } from '../../scripts/readme-tables.js';

describe('tables of components in READMEs', () => {
  it('are those of the definitions; `npm run tables` writes them anew', async () => {
    for (const [path, text] of await readmesWithTables()) expect(readFileSync(path, 'utf8'), path).toBe(text);
  });
});
