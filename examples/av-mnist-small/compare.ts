// `npm run compare`: the sweep of compare.json, two teachers and six methods for several seeds; `g2d compare` makes one table of them.
import { parseArguments, parseWhole, sweepInTerminal } from '@g2d/cli/internal';
import { G2DError } from '@g2d/core';
import { planOf, type SweepChanges } from './sweeps.js';

const OPTIONS = {
  seeds: { value: 'LIST', help: 'seeds (default 0,1,2)' },
  epochs: { value: 'N', help: 'epochs of each training (default 60, as in small.json)' },
  out: { value: 'DIR', help: 'where the run folders go (default runs/av-mnist-methods)' },
  help: { help: 'this text' },
} as const;

export const HELP = `Trains two teachers and every method of the comparison on the small AV-MNIST, for several seeds.

Usage: npm run compare -- [options]

${Object.entries(OPTIONS)
  .map(
    ([name, option]) => `  --${`${name} ${'value' in option ? option.value : ''}`.padEnd(13)}${option.help}`,
  )
  .join('\n')}

What is finished is not trained again, and an interrupted run goes on, when the same command is given once more.
`;

/**
 * Reads the command line.
 *
 * @throws {OptionError} If a value is impossible.
 */
export function parseCompare(args: readonly string[]): SweepChanges {
  const { values } = parseArguments(OPTIONS, args);
  return {
    out: values.out,
    ...(values.seeds !== undefined && {
      seeds: values.seeds.split(',').map((seed) => parseWhole('seeds', seed, 0)),
    }),
    ...(values.epochs !== undefined && { epochs: parseWhole('epochs', values.epochs, 2) }),
  };
}

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(HELP);
    return 0;
  }
  const plan = await planOf('compare.json', parseCompare(args));
  const { exitCode } = await sweepInTerminal(plan, {});
  if (exitCode === 0) console.log(`npx g2d compare ${plan.out}/* --out ${plan.out}/compare.html`);
  return exitCode;
}

if (process.argv[1] === import.meta.filename) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    if (!G2DError.isInstance(error)) throw error;
    console.error(`g2d: ${error.message}`);
    process.exitCode = 2;
  }
}
