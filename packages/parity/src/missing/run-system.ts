import { z } from 'zod';
import type { CaseFiles } from '../find-cases.js';
import type { Check } from '../compare.js';
import { compareTree } from '../methods/compare-tree.js';
import type { Tree } from '../methods/method-case.js';
import { oneOf, readJson, text, wrong } from '../strict-json.js';
import { systemDrivers } from './drivers/index.js';
import { MISSING_CASE, type MissingCase, type SystemDriver } from './missing-case.js';

/** A case of a system for missing modalities or of MIS-ME, and what its official code computes. */
export interface LoadedMissingCase {
  readonly missingCase: MissingCase;
  readonly driver: SystemDriver;
  readonly truth: Tree;
  readonly deviation: Tree;
}

/**
 * Reads a case of `g2d-missing-case/1` strictly, as `readCase` does others.
 *
 * @throws {FileFormatError} Naming the file, the key, what is allowed and what is there; also for a system that nothing here runs.
 */
export function loadMissingCase(files: CaseFiles): LoadedMissingCase {
  const { system } = readJson(files.case, MISSING_CASE, z.looseObject({ system: text }, 'an object'));
  const driver = systemDrivers.find((each) => each.system === system);
  if (!driver) {
    const names = systemDrivers.map((each) => each.system).join(', ');
    wrong(files.case, ['system'], `a system whose cases can be run (${names})`, system);
  }
  const missingCase = readJson(files.case, MISSING_CASE, driver.schema);
  const expected = z.object(
    {
      format: text,
      id: oneOf(missingCase.id),
      truth: z.looseObject({}, 'an object'),
      float32Deviation: z.looseObject({}, 'an object'),
    },
    'an object',
  );
  const { truth, float32Deviation } = readJson(files.expected, 'g2d-missing-expected/1', expected);
  return { missingCase, driver, truth: truth as Tree, deviation: float32Deviation as Tree };
}

/** Runs a case on the current backend and sets it next to what is expected. */
export async function runMissingCase(loaded: LoadedMissingCase): Promise<Check[]> {
  const { missingCase, driver, truth, deviation } = loaded;
  return compareTree(truth, deviation, await driver.run(missingCase));
}
