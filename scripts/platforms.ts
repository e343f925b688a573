// Before publishing: says in the package.json of each package of binaries for which platform it is (`os`, `cpu`, `libc`), so that npm installs one of them. In the
// repository the fields stand under `platform`, as npm refuses a workspace that is for another processor.
import { writeFileSync } from 'node:fs';
import { manifests } from './repository.js';

for (const { path, manifest } of manifests()) {
  const { platform, ...others } = manifest;
  if (platform) writeFileSync(path, `${JSON.stringify({ ...others, ...platform }, null, 2)}\n`);
}
