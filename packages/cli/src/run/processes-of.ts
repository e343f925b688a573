import { OptionError } from '@g2d/core';
import type { Launch } from '@g2d/runs';
import { MOST_PROCESSES } from '@g2d/runs/internal';

/**
 * @param text `--processes`.
 * @throws {OptionError} If it is no number of processes.
 */
export function parseProcesses(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= MOST_PROCESSES) return count;
  throw new OptionError(`--processes is "${text}"; it must be a whole number from 1 to ${MOST_PROCESSES}.`, {
    option: 'processes',
    value: text,
    accepted: `1 to ${MOST_PROCESSES}`,
  });
}

/**
 * How many processes are wanted.
 *
 * @param text `--processes`.
 * @param launch What the environment says.
 * @throws {OptionError} If it is no number of processes, or another one than there are.
 */
export function processesOf(text: string | undefined, launch: Launch | undefined): number {
  if (text === undefined) return launch?.processes ?? 1;
  const count = parseProcesses(text);
  if (launch && count !== launch.processes) {
    throw new OptionError(
      `--processes is ${count}, but this is process ${launch.rank} of ${launch.processes} that were started already. Leave --processes out.`,
      { option: 'processes', value: text, accepted: `nothing, or ${launch.processes}` },
    );
  }
  return count;
}
