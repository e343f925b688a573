import { OptionError, type Split } from '@g2d/core';
import { checksumWords, type RunIdentity } from '@g2d/core/run-folder';
import { readIfThere } from '@g2d/formats/node';
import type { RunProgress } from './checkpoint-state.js';
import { describeEnvironment, movedFrom } from './environment.js';
import { assertUnchanged, digestOf, identityDifferences, settingsDigestNow } from './identity.js';
import type { SplitMask } from './mask-split.js';
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
  { plan: { config }, folder, teachers, data, identity: found, processes }: OpenedRun,
  { epoch, progress }: { readonly epoch: number; readonly progress: RunProgress },
): Continuation {
  const { path } = folder;
  const { identity: before, changes = [], environment, ...rest } = folder.config() ?? {};
  const here = describeEnvironment(processes?.allReduce.processes);
  const moved = environment ? movedFrom(environment, here) : undefined;
  const notes = moved === undefined ? [] : [moved];
  const record = (more: object): void =>
    folder.record({ ...rest, ...(environment && { environment }), ...more });
  if (!before) {
    const own = digestOf(found.data);
    if (progress.data !== undefined && progress.data !== own)
      assertUnchanged([otherData(path, progress.data, own)], config, 'Put back what there was');
    const line = `The run in ${path} was begun by an earlier version, which did not record its data: whether they are the same cannot be told. From here on they are recorded.`;
    const checksums = teachers && checksumsOf(teachers.keys(), folder);
    const identity: RunIdentity = { ...found, ...(checksums && { teachers: checksums }) };
    return { notes: [...notes, line], record: () => record({ identity }) };
  }
  // Another version may have other defaults.
  const isSameVersion = environment?.versions?.['g2d'] === here.versions?.['g2d'];
  const settings =
    before.settings && isSameVersion ? settingsDigestNow(config, before.settings) : before.settings;
  const checksums = before.teachers ?? (teachers && checksumsOf(teachers.keys(), folder));
  const now: RunIdentity = {
    ...found,
    ...(settings !== undefined && { settings }),
    ...(checksums && { teachers: checksums }),
  };
  const differences = [
    ...(before.settings === settings
      ? []
      : [
          `The settings in ${folder.file('config.json')} are not those that the run began with (${checksumWords(before.settings ?? '')} then, ${checksumWords(settings ?? '')} now): the file was edited.`,
        ]),
    ...identityDifferences(before, now, `the run in ${path} began`),
    ...otherMasks(folder, data),
    ...otherRun(folder, progress),
  ];
  const isUnknown = checksums !== undefined && !before.teachers;
  if (isUnknown)
    notes.push(
      `The run in ${path} has no checksums of its copies of teachers: whether they are what was copied cannot be told. From here on they are recorded.`,
    );
  if (differences.length === 0) {
    const kept = { identity: now, ...(changes.length > 0 && { changes }) };
    return { notes, record: () => isUnknown && record(kept) };
  }
  assertUnchanged(differences, config, 'Put back what there was, begin a new run with --out');
  const change = {
    epoch,
    what: differences,
    data: digestOf(before.data),
    ...(before.settings !== undefined && before.settings !== settings && { settings: before.settings }),
  };
  return {
    notes: [...notes, ...differences],
    record: () => record({ identity: now, changes: [...changes, change] }),
  };
}

/** Masks that are not those that the run began with; one of an earlier version has not kept them. */
const otherMasks = (folder: RunFolder, { masks }: OpenedRun['data']): string[] =>
  (Object.entries(masks) as [Split, SplitMask][]).flatMap(([split, { table }]) => {
    const path = folder.mask(split);
    const kept = table === undefined ? undefined : readIfThere(path);
    return kept === undefined || kept.toString() === table
      ? []
      : [`What is missing of the ${split} split is not what ${path} says, with which the run began.`];
  });

/** What a checkpoint says of its run that the folder does not know: it was put there from elsewhere. */
function otherRun(folder: RunFolder, { data, settings }: RunProgress): string[] {
  const { identity, changes = [] } = folder.config() ?? {};
  if (!identity) return [];
  const own = digestOf(identity.data);
  const isKnown = (key: 'data' | 'settings', value: string | undefined, now: string | undefined): boolean =>
    value === undefined ||
    now === undefined ||
    [now, ...changes.map((change) => change[key])].includes(value);
  return [
    ...(isKnown('data', data, own) ? [] : [otherData(folder.path, data as string, own)]),
    ...(isKnown('settings', settings, identity.settings)
      ? []
      : [
          `The checkpoint in ${folder.path} is of a run with other settings (${checksumWords(settings as string)}) than the folder's (${checksumWords(identity.settings as string)}).`,
        ]),
  ];
}

const otherData = (path: string, data: string, own: string): string =>
  `The checkpoint in ${path} is of a run on other data (${checksumWords(data)}) than its config.json says (${checksumWords(own)}).`;

/**
 * @throws {OptionError} If a checkpoint is of a run on other data than the folder's.
 */
export function assertOwnCheckpoint(folder: RunFolder, progress: RunProgress): void {
  const [problem] = otherRun(folder, progress);
  if (problem === undefined) return;
  throw new OptionError(`${problem} Take the checkpoint of this run.`, {
    option: 'checkpoint',
    value: problem,
    accepted: 'a checkpoint that this run saved',
  });
}
