// Writes the tables of components in the READMEs: `npm run tables`, after a change of a definition.
import { writeFileSync } from 'node:fs';
import { readmesWithTables } from './readme-tables.js';

for (const [path, text] of await readmesWithTables()) writeFileSync(path, text);
