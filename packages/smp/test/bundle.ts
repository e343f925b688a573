// @g2d/smp in one file, as somebody's bundler makes it: from the sources, with nothing else of the repository.
import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'tsup';

/**
 * @param options `entry`: a file that imports @g2d/smp. `tfjs`: TensorFlow.js stays an import, or is the `tf` of a page.
 * @returns Minified code.
 */
export async function bundle({
  entry,
  tfjs,
}: {
  readonly entry: string;
  readonly tfjs: 'import' | 'global';
}): Promise<string> {
  const outDir = await mkdtemp(join(tmpdir(), 'g2d-smp-'));
  try {
    await build({
      config: false,
      silent: true,
      entry: { bundle: entry },
      outDir,
      format: tfjs === 'import' ? 'esm' : 'iife',
      platform: 'browser',
      target: 'es2022',
      minify: true,
      // Joins the imports of TensorFlow.js, as the package's own build does.
      treeshake: true,
      noExternal: [/^@g2d\//],
      external: tfjs === 'import' ? [/^@tensorflow\//] : [],
      esbuildOptions(options) {
        options.conditions = ['@g2d/source'];
      },
      esbuildPlugins: tfjs === 'import' ? [] : [tensorflowOfPage],
    });
    return await readFile(join(outDir, tfjs === 'import' ? 'bundle.js' : 'bundle.global.js'), 'utf8');
  } finally {
    await rm(outDir, { recursive: true, force: true });
  }
}

type Plugin = NonNullable<Parameters<typeof build>[0]['esbuildPlugins']>[number];

const tensorflowOfPage: Plugin = {
  name: 'tensorflow-of-page',
  setup(build) {
    build.onResolve({ filter: /^@tensorflow\// }, ({ path }) => ({ path, namespace: 'page' }));
    build.onLoad({ filter: /.*/, namespace: 'page' }, () => ({
      contents: 'module.exports = globalThis.tf;',
    }));
  },
};
