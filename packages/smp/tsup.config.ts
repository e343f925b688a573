import { preset } from '../../tsup.base.js';

// `treeshake` joins the imports of TensorFlow.js, for the smallest bundle.
export default preset({ entry: { index: 'src/index.ts' }, treeshake: true });
