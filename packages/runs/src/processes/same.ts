import { OptionError, shown } from '@g2d/core';
import type { RunConfig } from '../config-schema.js';
import { firstDifference } from '../differences.js';
import { describeEnvironment } from '../environment.js';
import type { Processes } from './processes.js';

/**
 * Whether processes can train a run together: they want the same one, and it can be divided among them.
 *
 * @throws {OptionError} In all of them, if not.
 */
export function assertCanShare(config: RunConfig, all: Processes | undefined): void {
  if (!all) return;
  const told = all.tell(config);
  for (const [rank, other] of told.entries()) {
    const difference = firstDifference(told[0] as RunConfig, other);
    if (!difference) continue;
    const { key, begun, now } = difference;
    throw new OptionError(
      `Process ${rank} of ${told.length} has ${shown(now)} for "${key}", but process 0 has ${shown(begun)}. Start all with the same configuration.`,
      { option: key, value: now, accepted: shown(begun) },
    );
  }
  const { versions = {} } = describeEnvironment();
  assertSame(
    all,
    Object.fromEntries(Object.entries(versions).map(([name, version]) => [`version of ${name}`, version])),
  );
  assertDivisible(config, all.allReduce.processes);
}

/**
 * Whether so many processes can share the batches of a run.
 *
 * @param which Begins the sentence, where several runs could be meant.
 * @throws {OptionError} If not.
 */
export function assertDivisible({ batchSize, data }: RunConfig, processes: number, which = ''): void {
  if (processes === 1) return;
  if (batchSize % processes !== 0) {
    throw new OptionError(
      `${which}"batchSize" is ${batchSize}, which ${processes} processes cannot share equally. Set it to a multiple of ${processes}: it is the size of the whole batch.`,
      { option: 'batchSize', value: batchSize, accepted: `a multiple of ${processes}` },
    );
  }
  if (data.onError === 'skip') {
    throw new OptionError(
      `${which}"data.onError" is "skip", but ${processes} processes that read the same samples may not leave out the same. Set it to "fail", or train in one process.`,
      { option: 'data.onError', value: 'skip', accepted: '"fail", or {"retry": n}' },
    );
  }
}

/** @throws {OptionError} In all processes, if something that must be equal in them is not. */
export function assertSame(all: Processes | undefined, things: Readonly<Record<string, string>>): void {
  if (!all) return;
  const told = all.tell(things);
  for (const [name, own] of Object.entries(told[0] as typeof things)) {
    const rank = told.findIndex((each) => each[name] !== own);
    if (rank < 0) continue;
    const found = told[rank]?.[name];
    throw new OptionError(
      `Process ${rank} of ${told.length} has another ${name} than process 0: ${found} instead of ${own}. Start all with the same data and code.`,
      { option: name, value: found, accepted: own },
    );
  }
}
