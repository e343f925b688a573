import { preset } from '../../tsup.base.js';

// Optional packages, loaded where they are needed and there.
const external = ['h5wasm', 'tsx'];

export default [
  // `clean` must not take away what the other build has written.
  preset({ entry: { index: 'src/index.ts', browser: 'src/browser.ts' }, external, clean: ['!worker.*'] }),
  // What a worker thread runs, an ES module for both kinds of program. It takes from the sources of @g2d/core and @g2d/tensor-ops what it needs,
  // since the built package would load TensorFlow.js into every thread.
  preset({
    entry: { worker: 'src/pipeline/worker.ts' },
    external,
    format: ['esm'],
    dts: false,
    clean: false,
    splitting: false,
    noExternal: [/^@g2d\/(core|tensor-ops|formats)/],
    esbuildOptions: (esbuild) => {
      esbuild.sourcesContent = false;
      esbuild.conditions = ['@g2d/source'];
    },
  }),
];
