// What the tools and examples of the repository share with the commands here. It may change with every version.
export { processesOf } from './run/processes-of.js';
export { parseArguments } from './arguments.js';
export { parseSettings, parseSplit, parseWhole, required } from './data/arguments.js';
export { DATASET_NAMES, datasetOptions, findDataset } from './data/datasets.js';
export { formatTable } from './format-table.js';
export { commandLine } from './run/command-line.js';
export { sweepInTerminal, type SweepOutcome } from './sweep/in-terminal.js';
export { passWords } from './components/describe-method.js';
export { engineOf, engineOptions, planOn } from './sweep/engines.js';
