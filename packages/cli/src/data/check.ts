import { OptionError } from '@g2d/core';
import { createProgress } from '@g2d/runs';
import { defineCommand } from '../command.js';
import { datasetAndFolder, parseSettings, required } from './arguments.js';
import { DATASET_NAMES, datasetOptions, findDataset } from './datasets.js';
import { formatCheck } from './format-check.js';

/** `g2d data check`. */
export const dataCheck = defineCommand({
  usage: '<dataset> <folder> [options]',
  description: `Looks through the folder of a dataset: how many samples each split has next to how many it should have, what is missing or broken, and where to get it under which licence. Nothing is changed. A folder may be half downloaded.

<dataset> is one of ${DATASET_NAMES}.`,
  options: {
    set: {
      value: 'KEY=VALUE',
      multiple: true,
      help: 'an option of the loader, such as format=csv for mis-me; may be given several times',
    },
    json: {
      help: 'one JSON object: {"dataset", "folder", "licence", "howToGet", "expected": {split: count}, "found": {split: count}, "problems": [{"reason", "ids"}], "asPublished"}, with every id; the text shows ten of each reason',
    },
  },
  details: `Exit code: 0 if training on this folder would be as published; 1 if it would not; 2 for an error in the command line.

Example: g2d data check crema-d data/crema-d`,
  async run({ values, positionals }, { out }) {
    const [name, folder] = datasetAndFolder(positionals);
    const definition = await findDataset(name);
    const { label, check } = definition;
    const root = required('<folder>', folder, `the folder of ${label}`);
    const options = datasetOptions(definition, {
      root,
      official: false,
      settings: parseSettings(values.set),
    });
    if (!check) {
      throw new OptionError(
        `${label} has no check: its definition does not say what should be in the folder.`,
        {
          option: 'dataset',
          value: name,
          accepted: 'a dataset with a check',
        },
      );
    }

    const progress = createProgress(STEPS);
    let done = 0;
    try {
      progress.stage(`looking through ${folder}`);
      const found = await check(options, (share) => {
        const steps = Math.floor(share * STEPS) - done;
        progress.advance(steps);
        done += steps;
      });
      progress.stop();
      out(values.json ? `${JSON.stringify(found)}\n` : formatCheck(found));
      return found.asPublished ? 0 : 1;
    } finally {
      progress.stop();
    }
  },
});

const STEPS = 100;
