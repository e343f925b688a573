import type { RunIdentity } from '@g2d/core/run-folder';
import type { RunConfig } from './config-schema.js';
import { assertUnchanged, identityDifferences, moduleChecksums, type DataIdentity } from './identity.js';
import type { RunFolder } from './node/run-folder.js';
import { identifyData } from './open-data.js';

/** Gives what the data of a configuration are now. */
type Identify = (config: RunConfig) => Promise<DataIdentity>;

/**
 * Compares a finished run, which is not trained again, with the data and modules of today.
 *
 * @param identify For many runs: `identifyOnce()`.
 * @returns Sentences for the user. A run of an earlier version has not recorded its data.
 * @throws {OptionError} If they are other than they were, unless that is allowed.
 */
export async function checkFinished(
  config: RunConfig,
  folder: RunFolder,
  identify: Identify = identifyData,
): Promise<readonly string[]> {
  const { path } = folder;
  let identity: RunIdentity | undefined;
  let data: DataIdentity;
  try {
    ({ identity } = folder.config() ?? {});
    if (!identity) return [];
    data = await identify(config);
  } catch (error) {
    // It is finished without them, too.
    const { message } = error as Error;
    return [`Whether the data of the finished run in ${path} are still the same cannot be told: ${message}`];
  }
  const now = { data, modules: moduleChecksums(config) };
  const differences = identityDifferences(identity, now, `the finished run in ${path} began`);
  assertUnchanged(differences, config, 'Give another folder for a new run');
  return differences;
}

/** Opens the same data once, for the runs of a sweep. */
export function identifyOnce(): Identify {
  const known = new Map<string, Promise<DataIdentity>>();
  return (config) => {
    const key = JSON.stringify([
      config.dataset,
      config.modalities ?? Object.keys(config.encoders),
      config.select,
    ]);
    const found = known.get(key) ?? identifyData(config);
    known.set(key, found);
    return found;
  };
}
