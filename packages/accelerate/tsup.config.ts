import { preset } from '../../tsup.base.js';

export default preset({ entry: { index: 'src/index.ts', wasm: 'src/wasm.ts' } });
