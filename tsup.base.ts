import { defineConfig, type Options } from 'tsup';

interface PresetOptions extends Options {
  /**
   * Packages that are imported when they are needed, and that CommonJS can require: the CommonJS build does, since `import()`
   * is not allowed where somebody else runs its code, as Jest does. Default: none.
   */
  readonly required?: readonly string[];
}

/** `import("name")` as `require`, with the exports of a module. */
const requiring = (names: readonly string[]): NonNullable<Options['plugins']>[number] => ({
  name: 'require-in-commonjs',
  renderChunk(code) {
    if (this.format !== 'cjs') return undefined;
    return {
      code: names.reduce(
        (text, name) =>
          text.replaceAll(
            `import("${name}")`,
            `Promise.resolve().then(() => ((m) => (m.__esModule ? m : { ...m, default: m }))(require("${name}")))`,
          ),
        code,
      ),
    };
  },
});

/** One build preset for every package: ESM, CommonJS and a declaration file for each. */
export const preset = ({ required = [], ...options }: PresetOptions) =>
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
    plugins: required.length > 0 ? [requiring(required)] : [],
    ...options,
  });
