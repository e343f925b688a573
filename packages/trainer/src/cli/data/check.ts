import { parseArgs } from 'node:util';
import { createProgress } from '../../node/progress.js';
import type { Command } from '../command.js';
import { datasetAndFolder, parseSettings, required } from './arguments.js';
import { dataSource, dataSources } from './datasets.js';
import { formatCheck } from './format-check.js';

const help = `Usage: g2d data check <dataset> <folder> [options]

Looks through the folder of a dataset: how many samples each part has next to how many it should have, what is missing or
broken, and where to get it under which licence. Nothing is changed. A folder may be half downloaded.

<dataset> is one of ${Object.keys(dataSources).join(', ')}.

Options:
  --set KEY=VALUE   an option of the loader, such as format=csv for mis-me; may be given several times
  --json            one JSON object: {"dataset", "folder", "licence", "howToGet", "expected": {part: count}, "found": {part: count},
                    "problems": [{"reason", "ids"}], "asPublished"}, with every id; the text shows ten of each reason
  --help            this text

Exit code: 0 if training on this folder would be as published; 1 if it would not; 2 for an error in the command line.

Example: g2d data check crema-d data/crema-d
`;

/** `g2d data check`. */
export const dataCheck: Command = {
  help,
  async run(args, { out }) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        set: { type: 'string', multiple: true, default: [] as string[] },
        json: { type: 'boolean', default: false },
      },
    });
    const [name, folder] = datasetAndFolder(positionals);
    const source = dataSource(name);
    required('<folder>', folder, `the folder of ${source.title}`);
    const settings = parseSettings(values.set);

    const progress = createProgress(STEPS);
    let done = 0;
    try {
      progress.stage(`looking through ${folder}`);
      const check = await source.check(folder, {
        ...settings,
        onProgress: (share) => {
          const steps = Math.floor(share * STEPS) - done;
          progress.advance(steps);
          done += steps;
        },
      });
      progress.stop();
      out(values.json ? `${JSON.stringify(check)}\n` : formatCheck(check));
      return check.asPublished ? 0 : 1;
    } finally {
      progress.stop();
    }
  },
};

const STEPS = 100;
