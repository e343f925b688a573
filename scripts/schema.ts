// Writes the JSON Schema of run configurations, which editors read: `npm run schema`, after a change of the schema in
// packages/runs/src.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { format } from 'prettier';
import { jsonSchema } from '../packages/runs/src/read-config.js';

const path = resolve(import.meta.dirname, '../packages/runs/schema/run.schema.json');
mkdirSync(dirname(path), { recursive: true });
writeFileSync(path, await format(JSON.stringify(jsonSchema()), { parser: 'json', printWidth: 110 }));
