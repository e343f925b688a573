import { preset } from '../../tsup.base.js';

export default preset({
  entry: { index: 'src/index.ts', node: 'src/node.ts' },
  // h5wasm is an ES module and nothing else.
  required: ['sharp', 'read-excel-file/node'],
});
