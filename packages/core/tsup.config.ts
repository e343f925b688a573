import { preset } from '../../tsup.base.js';

export default preset({ entry: { index: 'src/index.ts', 'run-folder': 'src/run-folder/index.ts' } });
