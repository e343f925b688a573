import { OptionError } from '@g2d/core';
import { checksumWords, type RunIdentity } from '@g2d/core/run-folder';
import type { RunProgress } from './checkpoint-state.js';
import { describeEnvironment, movedFrom } from './environment.js';
import { assertUnchanged, digestOf, identityDifferences } from './identity.js';
import type { RunFolder } from './node/run-folder.js';
import type { OpenedRun } from './open-run.js';
import { checksumsOf } from './read-teachers.js';

/** What is known of a run that goes on. */
export interface Continuation {
  /** Sentences for the user. */
  readonly notes: readonly string[];
  /** Records what is other than it was: once nothing can be refused any more. */
  record(): void;
}

/**
 * Compares a run that goes on with what it began with. Nothing is written.
 *
 * @param epoch In which it goes on.
 * @throws {OptionError} If data or modules are other than they were, unless that is allowed; the folder stays as it is.
 */
export function continueRun(
  { plan: { config }, folder, teachers, identity: found }: OpenedRun,
  { epoch, progress }: { readonly epoch: number; readonly progress: RunProgress },
): Continuation {
  const { path } = folder;
  const { identity: before, changes = [], environment, ...rest } = folder.config() ?? {};
  const moved = environment && movedFrom(environment, describeEnvironment());
  const notes = moved === undefined ? [] : [moved];
  const record = (more: object): void =>
    folder.record({ ...rest, ...(environment && { environment }), ...more });
  if (!before) {
    const line = `The run in ${path} was begun by an earlier version, which did not record its data: whether they are the same cannot be told. From here on they are recorded.`;
    const checksums = teachers && checksumsOf(teachers.keys(), folder);
    const identity: RunIdentity = { ...found, ...(checksums && { teachers: checksums }) };
    return { notes: [...notes, line], record: () => record({ identity }) };
  }
  const now: RunIdentity = { ...found, ...(before.teachers && { teachers: before.teachers }) };
  const differences = [
    ...identityDifferences(before, now, `the run in ${path} began`),
    ...otherRun(folder, progress),
  ];
  if (differences.length === 0) return { notes, record: () => {} };
  assertUnchanged(differences, config, 'Put back what there was, begin a new run with --out');
  const change = { epoch, what: differences, data: digestOf(before.data) };
  return {
    notes: [...notes, ...differences],
    record: () => record({ identity: now, changes: [...changes, change] }),
  };
}

/** What a checkpoint says of its data that the run's folder does not know: it was put there from elsewhere. */
function otherRun(folder: RunFolder, { data }: RunProgress): string[] {
  const { identity, changes = [] } = folder.config() ?? {};
  if (data === undefined || !identity) return [];
  const own = digestOf(identity.data);
  if ([own, ...changes.map((change) => change.data)].includes(data)) return [];
  return [
    `The checkpoint in ${folder.path} is of a run on other data (${checksumWords(data)}) than its config.json says (${checksumWords(own)}).`,
  ];
}

/**
 * @throws {OptionError} If a checkpoint is of a run on other data than the folder's.
 */
export function assertOwnCheckpoint(folder: RunFolder, progress: RunProgress): void {
  const [problem] = otherRun(folder, progress);
  if (problem === undefined) return;
  throw new OptionError(`${problem} Take the checkpoint of this run.`, {
    option: 'checkpoint',
    value: progress.data,
    accepted: 'a checkpoint that this run saved',
  });
}
