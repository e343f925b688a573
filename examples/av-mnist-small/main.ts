// The main job: `npm start`. Trains the sweep of sweep.json (two teachers, joint training, SMP alone, the G2D loss alone, G2D) on
// a small real AV-MNIST; a table on standard output, everything else in the folders of the runs.
import { relative } from 'node:path';
import { sweepInTerminal } from '@g2d/cli/internal';
import { G2DError } from '@g2d/core';
import { NativeError } from '@g2d/native';
import { openData } from './data.js';
import { RESULT, writeResults } from './experiment.js';
import { installTensorFlow } from './install-tensorflow.js';
import { changesOf, HELP } from './options.js';
import { printResults, writeReport } from './report.js';
import { planOf } from './sweeps.js';

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(HELP);
    return 0;
  }
  const plan = await planOf(changesOf(args));
  await installTensorFlow();
  const { exitCode } = await sweepInTerminal(plan, { fresh: true, result: RESULT });
  if (exitCode !== 0) return exitCode;
  const data = await openData(plan);
  await writeResults(plan, data, (warning) => console.error(warning));
  const report = await writeReport(plan.out, data, args);
  printResults(plan.out);
  console.log(`Report: ${relative('.', report)}`);
  return 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const known = G2DError.isInstance(error) || NativeError.isInstance(error);
  // Files and folders that cannot be read or written: the system's own sentence says which.
  if (!known && !(error instanceof Error && 'syscall' in error)) throw error;
  console.error(`g2d: ${error.message}`);
  process.exitCode = NativeError.isInstance(error) && error.code === 'G2D_NATIVE_INTERRUPTED' ? 130 : 1;
}
