import { preset } from '../../tsup.base.js';

// `treeshake` joins the imports of TensorFlow.js: what a bundler makes of `@g2d/smp` is to stay small.
export default preset({
  entry: { index: 'src/index.ts', tensorflow: 'src/tensorflow.ts', testing: 'src/testing.ts' },
  treeshake: true,
});
