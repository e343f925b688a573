import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { jsonSchema, parseConfig } from './read-config.js';
import { toyConfig } from '../test/toy-config.js';

describe('schema/run.schema.json', () => {
  it('is the schema of configurations; `npm run schema` writes it anew', () => {
    const file = new URL('../schema/run.schema.json', import.meta.url);
    const written: unknown = JSON.parse(readFileSync(file, 'utf8'));
    expect(written).toEqual(JSON.parse(JSON.stringify(jsonSchema())));
  });

  it('accepts the config.json of a run folder, and refuses what no configuration has', () => {
    const schema = z.fromJSONSchema(jsonSchema() as z.core.JSONSchema.JSONSchema);
    const config = parseConfig(toyConfig());
    const recorded = {
      ...config,
      format: 'g2d-run',
      version: 2,
      kind: 'student',
      model: { task: 'classification', classes: 3, shapes: { loud: [4], quiet: [null, 4] } },
      environment: { backend: 'cpu', device: 'any', versions: { node: '22' }, gitCommit: null },
      components: { method: [{ name: 'joint', label: 'Joint training', summary: '' }] },
    };
    expect(schema.safeParse(JSON.parse(JSON.stringify(recorded))).error).toBeUndefined();
    expect(schema.safeParse({ ...recorded, epoch: 3 }).success).toBe(false);
    expect(schema.safeParse({ ...recorded, kind: 'pupil' }).success).toBe(false);
    expect(schema.safeParse({ ...recorded, epochs: 'many' }).success).toBe(false);
  });
});
