import { OptionError } from '@g2d/core';
import type { TrainingState } from '@g2d/trainer';
import { fromCheckpoint, type RunProgress } from './checkpoint-state.js';
import type { RunConfig } from './config-schema.js';
import { CHANGEABLE, checkContinuation, earlierSettings, type EarlierSettings } from './continuation.js';
import { firstDifference, written } from './differences.js';
import { legacyRemarks } from './legacy-state.js';
import { asRecorded } from './method-names.js';
import { withRecordedMasks } from './mask-settings.js';
import { readCheckpoint, type LoadedCheckpoint } from './node/checkpoints/read-checkpoint.js';
import type { RunFolder, RunSummary } from './node/run-folder.js';
import { settlePrecision } from './precision.js';
import { readBest } from './read-best.js';
import { parseConfig } from './read-config.js';

/** Where a run begins or goes on. */
export interface Place {
  /** What it is trained with from here on: nothing is left to be chosen. */
  readonly config: RunConfig;
  /** What it came to, if it is finished. */
  readonly finished?: RunSummary;
  /** The state that it goes on from; it begins without one. */
  readonly state?: TrainingState & RunProgress;
  /** What it had before, if it goes on with other settings: to be checked with its methods, and recorded. */
  readonly earlier?: EarlierSettings;
  /** Whether the state is not that of the newest checkpoint, which is damaged. */
  readonly isDamaged?: boolean;
  /** For the user. */
  readonly notes: readonly string[];
}

/**
 * Looks where the run in a folder is, and settles the configuration that it goes on with.
 *
 * @throws {OptionError} If the folder holds a run and `resume` is not asked for, the run began with other settings, or this machine
 * cannot train with them.
 */
export function findPlace(
  folder: RunFolder,
  wanted: RunConfig,
  { resume }: { readonly resume: boolean },
): Place {
  const { path } = folder;
  const recorded = folder.config();
  const finished = folder.summary();
  const begun = recorded && resume ? parseConfig(recorded, { where: `${path}/config.json` }) : undefined;
  // A finished run is not trained again, but for more epochs.
  const trains = !finished || (begun !== undefined && begun.epochs !== wanted.epochs);
  const settled = settlePrecision(asRecorded(wanted), { begun, trains });
  const notes = [...settled.notes];
  if (!recorded) return settled;
  const readLast = (): LoadedCheckpoint | undefined => readCheckpoint(folder.checkpoints, 'last');
  const unfinished = finished ? undefined : readLast();
  // A run that was not saved once has nothing to lose: it begins anew, with whatever settings.
  if (!finished && !unfinished) {
    folder.assertUnsaved(firstSave(begun ?? parseConfig(recorded, { where: `${path}/config.json` })));
    return settled;
  }
  if (!begun) {
    throw new OptionError(
      finished
        ? `${path} holds a finished run. Give another folder with --out, or delete it.`
        : `${path} holds a run that is not finished. Go on with it (--resume), or give another folder with --out.`,
      { option: 'out', value: path, accepted: 'a new or empty folder' },
    );
  }
  const asked = withRecordedMasks(withRecordedOrder(settled.config, begun), begun);
  const other = firstDifference(begun, asked, CHANGEABLE);
  if (other) {
    throw new OptionError(
      `The run in ${path} began with "${other.key}" ${written(other.begun)}, but now it is ${written(other.now)}. A run goes on with the settings that it began with; for others begin a new one with --out.`,
      { option: other.key, value: other.now, accepted: written(other.begun) },
    );
  }
  // It may be damaged: a run that is finished is whole without it.
  if (finished && isUnchanged(begun, asked)) return { config: asked, finished, notes };
  const last = unfinished ?? readLast();
  const state = last && fromCheckpoint(last);
  // A run that ended before its last epoch would have ended there too.
  const ended = state && asked.epochs !== begun.epochs ? folder.endedEarly(state.position) : undefined;
  const isLonger = ended !== undefined;
  const config = isLonger ? { ...asked, epochs: begun.epochs } : asked;
  if (isLonger)
    notes.push(`The run ended by itself in epoch ${ended}: another number of epochs changes nothing.`);
  const earlier = earlierSettings(begun, config);
  const isChanged = !isUnchanged(begun, config);
  if (finished && !isChanged) return { config, finished, notes };
  if (!state) {
    throw new OptionError(
      `The finished run in ${path} has no checkpoint "last" from which it could go on with other settings.`,
      { option: 'resume', value: earlier, accepted: 'the settings that it has' },
    );
  }
  const remarks = checkContinuation(begun, config, state.position);
  return {
    config,
    state,
    isDamaged: (last?.warnings ?? []).length > 0,
    ...(isChanged && { earlier }),
    notes: [
      ...notes,
      ...(last?.warnings ?? []),
      ...lostBest(folder, config, state),
      ...remarks,
      ...legacyRemarks(last?.state, config),
    ],
  };
}

const isUnchanged = (begun: RunConfig, now: RunConfig): boolean =>
  Object.keys(earlierSettings(begun, now)).length === 0;

/** After how many epochs a run saves itself for the first time. */
const firstSave = ({ checkpoints: { every, keepEvery = every }, evaluation, epochs }: RunConfig) => ({
  saved: Math.min(every, keepEvery, epochs),
  scored: Math.min(evaluation.every, epochs),
});

/** What is said of the best epoch so far if its weights are gone: now they can still be put back. */
function lostBest({ checkpoints }: RunFolder, { select }: RunConfig, { best }: RunProgress): string[] {
  if (select === 'last' || !best) return [];
  const { epoch, problems } = readBest(checkpoints);
  // One of a later epoch was saved just before the run was killed, and is again when it gets there.
  if (epoch >= best.epoch) return [];
  return [
    `The weights of epoch ${best.epoch}, the best so far, are not there: unless a later epoch is as good, the results will be of the last one. ${problems.join(' ')}`.trim(),
  ];
}

/** Without a list of modalities they follow from the encoders, which are compared; their order is the dataset's. */
function withRecordedOrder(config: RunConfig, { modalities }: RunConfig): RunConfig {
  const isSame = !config.modalities || sameNames(config.modalities, modalities ?? []);
  return isSame && modalities ? { ...config, modalities } : config;
}

const sameNames = (a: readonly string[], b: readonly string[]): boolean =>
  [...new Set(a)].sort().join() === [...new Set(b)].sort().join();
