import { defineConfig, type Options } from 'tsup';

/** One build preset for every package: ESM, CommonJS and a declaration file for each. */
export const preset = (options: Options) =>
  defineConfig({
    format: ['esm', 'cjs'],
    dts: true,
    target: 'node20',
    sourcemap: true,
    // The maps point to `src`, which is published.
    esbuildOptions: (esbuild) => {
      esbuild.sourcesContent = false;
    },
    clean: true,
    // Other packages are dependencies and stay imports; `shims` gives import.meta.url to the CommonJS build.
    shims: true,
    ...options,
  });
