import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'tsup';

/**
 * Makes one file of a program in TypeScript that imports our sources by absolute path, and of those as far as it uses
 * them: it starts in a moment, where loading TensorFlow.js would take longer than the test that starts it many times.
 *
 * @returns The folder, which the caller removes, and the file for `node`.
 */
export async function bundle(source: string): Promise<{ readonly folder: string; readonly program: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'g2d-program-'));
  writeFileSync(join(folder, 'program.ts'), source);
  await build({
    entry: [join(folder, 'program.ts')],
    outDir: folder,
    format: 'cjs',
    config: false,
    silent: true,
    treeshake: true,
    noExternal: [/^@g2d\//],
    external: [/^@tensorflow\//],
    esbuildOptions: (options) => {
      options.conditions = ['@g2d/source'];
    },
  });
  return { folder, program: join(folder, 'program.cjs') };
}
