import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { jsonSchema } from './read-config.js';

describe('schema/run.schema.json', () => {
  it('is the schema of configurations; `npm run schema` writes it anew', () => {
    const file = new URL('../schema/run.schema.json', import.meta.url);
    const written: unknown = JSON.parse(readFileSync(file, 'utf8'));
    expect(written).toEqual(JSON.parse(JSON.stringify(jsonSchema())));
  });
});
