import { existsSync } from 'node:fs';
import { G2DError, type DatasetCheck } from '@g2d/core';
import { HOW_TO_GET, LICENCE } from './open.js';
import { readView, ROWS, viewFile, VIEWS } from './views.js';

/**
 * Looks through a folder of Multiple Features: every row of all six files, and their checksums.
 *
 * @param folder As `root` of `multipleFeatures`. It may be incomplete, or not there.
 */
export async function checkMultipleFeatures(
  folder: string,
  onProgress?: (done: number) => void,
): Promise<DatasetCheck> {
  const problems = new Map<string, string[]>();
  const report = (reason: string, id: string): void => {
    problems.set(reason, [...(problems.get(reason) ?? []), id]);
  };
  const found: Record<string, number> = {};
  for (const [i, view] of VIEWS.entries()) {
    onProgress?.(i / VIEWS.length);
    found[`rows of ${view}`] = 0;
    if (!existsSync(viewFile(folder, view))) {
      report('file missing', viewFile(folder, view));
      continue;
    }
    try {
      readView(folder, view);
      found[`rows of ${view}`] = ROWS;
    } catch (error) {
      report('file that cannot be used', G2DError.isInstance(error) ? error.message : String(error));
    }
  }
  return {
    dataset: 'Multiple Features',
    folder,
    licence: LICENCE,
    howToGet: HOW_TO_GET,
    expected: Object.fromEntries(VIEWS.map((view) => [`rows of ${view}`, ROWS])),
    found,
    problems: [...problems].map(([reason, ids]) => ({ reason, ids })),
    asPublished: problems.size === 0,
  };
}
