import { preset } from '../../tsup.base.js';

export default preset({
  entry: { index: 'src/index.ts', cli: 'src/cli.ts' },
  required: ['proper-lockfile', 'undici'],
});
