import { preset } from '../../tsup.base.js';

// A tool of the repository: a command, and nothing to import.
export default preset({ entry: { commands: 'src/commands.ts' }, format: ['esm'], dts: false });
