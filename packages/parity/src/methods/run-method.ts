import { z } from 'zod';
import type { CaseFiles } from '../find-cases.js';
import type { Check } from '../compare.js';
import { oneOf, readJson, text } from '../strict-json.js';
import { compareTree } from './compare-tree.js';
import { METHOD_CASE, type MethodCase, type Tree } from './method-case.js';
import { drivers } from './drivers/index.js';

/** A case of one method, and what its official code computes. */
export interface LoadedMethodCase {
  readonly methodCase: MethodCase;
  readonly truth: Tree;
  readonly deviation: Tree;
}

/**
 * Reads a case of `g2d-method-case/1` strictly, as `readCase` does others.
 *
 * @throws {FileFormatError} Naming the file, the key, what is allowed and what is there.
 */
export function loadMethodCase(files: CaseFiles): LoadedMethodCase {
  const names = drivers.map(({ method }) => method) as [string, ...string[]];
  const { method } = readJson(
    files.case,
    METHOD_CASE,
    z.looseObject({ method: oneOf(...names) }, 'an object'),
  );
  const driver = driverOf(method as string);
  const methodCase = readJson(files.case, METHOD_CASE, driver.schema);
  const expected = z.object(
    {
      format: text,
      id: oneOf(methodCase.id),
      truth: z.looseObject(
        {
          steps: z
            .array(z.unknown(), 'a list')
            .length(methodCase.steps.length, `a list of ${methodCase.steps.length}`),
        },
        'an object',
      ),
      float32Deviation: z.looseObject({}, 'an object'),
    },
    'an object',
  );
  const { truth, float32Deviation } = readJson(files.expected, 'g2d-method-expected/1', expected);
  return { methodCase, truth: truth as Tree, deviation: float32Deviation as Tree };
}

/** Runs a case on the current backend and sets it next to what is expected. */
export async function runMethodCase({ methodCase, truth, deviation }: LoadedMethodCase): Promise<Check[]> {
  return compareTree(truth, deviation, await driverOf(methodCase.method).run(methodCase));
}

const driverOf = (method: string) =>
  drivers.find((driver) => driver.method === method) as (typeof drivers)[number];
