import { RunFolder } from '@g2d/runs';
import { defineCommand } from '../command.js';
import { onlyRun, trustOption } from './run-argument.js';
import { writeRunReport } from './run-report.js';

/** `g2d report`. */
export const reportCommand = defineCommand({
  usage: 'RUN',
  description:
    'Writes RUN/report.html: one self-contained page with curves, imbalance, schedule, confusion matrices, samples and settings. A run that is still going, or was stopped, has a page too. `g2d train` writes it at the end by itself. No code that the folder names is loaded; without it a dataset of your own has no samples on the page.',
  options: { trust: { help: `${trustOption.help}; here only the dataset's, for its samples` } },
  details: 'Example: g2d report runs/g2d',
  async run({ values, positionals }, { out, err }) {
    const path = onlyRun(positionals, 'report');
    const note = (line: string): void => err(`${line}\n`);
    out(`${await writeRunReport(new RunFolder(path), { trust: values.trust, note })}\n`);
    return 0;
  },
});
