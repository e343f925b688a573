import { preset } from '../../tsup.base.js';

// What it takes of @g2d/tensor-ops and @g2d/core, a few small functions and the errors, comes along: this package is whole by itself.
export default preset({
  entry: { index: 'src/index.ts' },
  // Joins the imports of TensorFlow.js, for the smallest bundle.
  treeshake: true,
  noExternal: ['@g2d/core', '@g2d/tensor-ops'],
  dts: { resolve: ['@g2d/core', '@g2d/tensor-ops'] },
});
