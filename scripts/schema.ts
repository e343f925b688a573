// Writes the JSON Schemas of run configurations and of sweeps, which editors read: `npm run schema`, after a change of a
// schema in packages/runs/src.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { format } from 'prettier';
import { jsonSchema } from '../packages/runs/src/read-config.js';
import { sweepJsonSchema } from '../packages/runs/src/sweep/schema.js';

const folder = resolve(import.meta.dirname, '../packages/runs/schema');
mkdirSync(folder, { recursive: true });
for (const [name, schema] of Object.entries({ run: jsonSchema(), sweep: sweepJsonSchema() })) {
  const text = await format(JSON.stringify(schema), { parser: 'json', printWidth: 110 });
  writeFileSync(join(folder, `${name}.schema.json`), text);
}
