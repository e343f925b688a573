// Where the project lives, in one place. After a change of the address: `npm run repository`, which writes `repository`,
// `homepage` and `bugs` of every package; a test holds them to it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** For example `https://github.com/OWNER/NAME`; `undefined` until it is known, and the fields are left out. */
export const REPOSITORY: string | undefined = undefined;

type Manifest = Readonly<Record<string, unknown>>;

/** The manifest of `packages/<folder>` with the fields that follow from the address, or without them. */
export function withRepository(manifest: Manifest, folder: string, address: string | undefined): Manifest {
  const { homepage: _, bugs: __, repository: ___, ...others } = manifest;
  const fields = address && {
    homepage: `${address}/tree/main/packages/${folder}#readme`,
    bugs: `${address}/issues`,
    repository: { type: 'git', url: `git+${address}.git`, directory: `packages/${folder}` },
  };
  return { ...others, ...fields };
}

/** Every package.json, where it lies and in which folder of `packages/`. */
export function manifests(): {
  readonly path: string;
  readonly folder: string;
  readonly manifest: Manifest;
}[] {
  const packages = resolve(import.meta.dirname, '../packages');
  return readdirSync(packages).map((folder) => {
    const path = join(packages, folder, 'package.json');
    return { path, folder, manifest: JSON.parse(readFileSync(path, 'utf8')) as Manifest };
  });
}

if (process.argv[1] === import.meta.filename) {
  for (const { path, folder, manifest } of manifests()) {
    writeFileSync(path, `${JSON.stringify(withRepository(manifest, folder, REPOSITORY), null, 2)}\n`);
  }
}
