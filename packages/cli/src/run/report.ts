import { RunFolder } from '@g2d/runs';
import { defineCommand } from '../command.js';
import { onlyRun } from './run-argument.js';
import { writeRunReport } from './run-report.js';

/** `g2d report`. */
export const reportCommand = defineCommand({
  usage: 'RUN',
  description:
    'Writes RUN/report.html: one self-contained page with curves, imbalance, schedule, confusion matrices, samples and settings. A run that is still going, or was stopped, has a page too. `g2d train` writes it at the end by itself.',
  options: {},
  details: 'Example: g2d report runs/g2d',
  async run({ positionals }, { out }) {
    const path = onlyRun(positionals, 'report');
    out(`${await writeRunReport(new RunFolder(path))}\n`);
    return 0;
  },
});
