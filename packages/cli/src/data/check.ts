import { createProgress } from '@g2d/runs';
import { defineCommand } from '../command.js';
import { datasetAndFolder, parseSettings } from './arguments.js';
import { samplesCheck } from './check-samples.js';
import { DATASET_NAMES, datasetOptions, findDataset } from './datasets.js';
import { formatCheck } from './format-check.js';
import { paperUses, usesWords } from './paper-tables.js';

/** `g2d data check`. */
export const dataCheck = defineCommand({
  usage: '<dataset> <folder> [options]',
  description: `Looks through the folder of a dataset: how many samples each split has next to how many it should have, what is missing or broken, and where to get it under which licence. Nothing is changed. A folder may be half downloaded: of a dataset of the paper it says which of its tables and figures can be run with what is there. Of a dataset that does not say what there should be, such as a module of your own, every sample is read: its label, its shapes, NaN and infinities, and ids that come twice; of a multi-label dataset also how many samples have each class.

<dataset> is one of ${DATASET_NAMES}.`,
  options: {
    set: {
      value: 'KEY=VALUE',
      multiple: true,
      help: 'an option of the loader, such as format=csv for mis-me; may be given several times',
    },
    json: {
      help: 'one JSON object: {"dataset", "folder", "licence", "howToGet", "expected": {split: count}, "found": {split: count}, "problems": [{"reason", "ids"}], "asPublished", "tables": [{"name", "also", "with"}]}, with every id; the text shows ten of each reason',
    },
  },
  details: `Exit code: 0 if training on this folder would be as published; 1 if it would not; 2 for an error in the command line.

Example: g2d data check crema-d data/crema-d`,
  async run({ values, positionals }, output) {
    const [name, folder] = datasetAndFolder(positionals);
    const definition = await findDataset(name, output);
    const options = datasetOptions(definition, {
      root: folder,
      official: false,
      settings: parseSettings(values.set),
    });
    const progress = createProgress(STEPS);
    let done = 0;
    try {
      progress.stage(`looking through ${folder === '' ? definition.label : folder}`);
      const { check = samplesCheck(definition, folder) } = definition;
      const found = await check(options, (share) => {
        const steps = Math.floor(share * STEPS) - done;
        progress.advance(steps);
        done += steps;
      });
      progress.stop();
      const tables = paperUses(definition.name, found);
      output.out(
        values.json
          ? `${JSON.stringify({ ...found, ...(tables.length > 0 && { tables }) })}\n`
          : `${formatCheck(found)}${usesWords(tables)}`,
      );
      return found.asPublished ? 0 : 1;
    } finally {
      progress.stop();
    }
  },
});

const STEPS = 100;
