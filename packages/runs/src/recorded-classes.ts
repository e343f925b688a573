import { checkFile, parseJson, predictionsSchema } from '@g2d/core/run-folder';
import { readIfThere } from '@g2d/formats/node';
import type { RunFolder } from './node/run-folder.js';

/**
 * The classes of a run, by class id, as its folder has them: what its class ids mean. A run of an earlier version has them beside its
 * predictions, once it is finished.
 */
export function recordedClasses(folder: RunFolder): readonly string[] | undefined {
  const { identity } = folder.config() ?? {};
  if (identity) return identity.data.train.classNames;
  const path = folder.file('predictions.json');
  const bytes = readIfThere(path);
  return (
    bytes && checkFile(predictionsSchema, parseJson(bytes.toString('utf8'), { path }), { path }).classNames
  );
}
