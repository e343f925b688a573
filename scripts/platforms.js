// Before publishing: says in the package.json of each package of binaries for which platform it is (`os`, `cpu`, `libc`), so that npm installs one of them. In the
// repository the fields stand under `platform`, as npm refuses a workspace that is for another processor.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const packages = join(import.meta.dirname, '../packages');
for (const folder of readdirSync(packages)) {
  const file = join(packages, folder, 'package.json');
  const { platform, ...manifest } = JSON.parse(readFileSync(file, 'utf8'));
  if (platform) writeFileSync(file, `${JSON.stringify({ ...manifest, ...platform }, null, 2)}\n`);
}
