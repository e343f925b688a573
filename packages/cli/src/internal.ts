// What the tools of the repository, `g2d parity` and `g2d bench`, share with the commands here. It may change with every version.
export { parseArguments } from './arguments.js';
export { parseSettings, parseSplit, parseWhole, required } from './data/arguments.js';
export { DATASET_NAMES, datasetOptions, findDataset } from './data/datasets.js';
export { formatTable } from './format-table.js';
