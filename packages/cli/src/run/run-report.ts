import { readStartedRun, renderRunReport, type ReportSample } from '@g2d/analysis';
import { OptionError } from '@g2d/core';
import type { RecordedFacts } from '@g2d/core/run-folder';
import { type RunFolder, parseConfig } from '@g2d/runs';
import { dataDifferences, findDataset, modalitiesOf, openData } from '@g2d/runs/internal';
import { reportSamples } from './report-samples.js';

/**
 * Writes the page of a run, finished or not, with samples where the data are still there.
 *
 * @returns Its path.
 */
export async function writeRunReport(folder: RunFolder, command?: string): Promise<string> {
  const recorded = folder.config();
  if (!recorded) {
    throw new OptionError(`${folder.path} is no run folder: it has no config.json.`, {
      option: 'RUN',
      value: folder.path,
      accepted: 'what `g2d train` wrote',
    });
  }
  const page = renderRunReport({
    run: readStartedRun(folder.path),
    samples: await samplesOf(recorded, folder.path),
    ...(command !== undefined && { command }),
  });
  return folder.writeReport(page);
}

async function samplesOf(recorded: RecordedFacts, path: string): Promise<readonly ReportSample[]> {
  const config = parseConfig(recorded, { where: `${path}/config.json` });
  // A handful is read: all of them need not be in memory.
  const reading = { ...config, data: { ...config.data, inMemory: false } };
  let data: Awaited<ReturnType<typeof openData>>;
  try {
    data = await openData({ dataset: await findDataset(config.dataset), config: reading });
  } catch {
    // The page is about the run; its data may be elsewhere by now.
    return [];
  }
  try {
    const { identity } = recorded;
    // They would stand beside predictions of other samples.
    if (identity && dataDifferences(identity.data, data.identity, { splits: ['test'] }).test !== undefined)
      return [];
    return await reportSamples(data.test, modalitiesOf(config, data.test));
  } finally {
    await data.close();
  }
}
