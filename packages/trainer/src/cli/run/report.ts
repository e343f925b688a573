import { parseArgs } from 'node:util';
import { RunFolder } from '../../node/run-folder.js';
import type { Command } from '../command.js';
import { onlyRun } from './run-argument.js';
import { writeRunReport } from './run-report.js';

const help = `Usage: g2d report RUN

Writes RUN/report.html: one self-contained page with curves, imbalance, schedule, confusion matrices, samples and settings. A run that is
still going, or was stopped, has a page too. \`g2d train\` writes it at the end by itself.

Options:
  --help   this text

Example: g2d report runs/g2d
`;

/** `g2d report`. */
export const reportCommand: Command = {
  help,
  async run(args, { out }) {
    const { positionals } = parseArgs({ args: [...args], allowPositionals: true, options: {} });
    const path = onlyRun(positionals, 'report');
    out(`${await writeRunReport(new RunFolder(path))}\n`);
    return 0;
  },
};
