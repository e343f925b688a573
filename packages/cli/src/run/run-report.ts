import { readStartedRun, renderRunReport, type ReportSample } from '@g2d/analysis';
import { OptionError } from '@g2d/core';
import type { RecordedFacts } from '@g2d/core/run-folder';
import { type RunFolder, parseConfig } from '@g2d/runs';
import { dataDifferences, findDataset, modalitiesOf, openData } from '@g2d/runs/internal';
import { reportSamples } from './report-samples.js';

/**
 * Writes the page of a run, finished or not, with samples where the data are still there.
 *
 * @param options `trust`: whether a dataset's module that the run's configuration names may be loaded. `command`: that wrote the run.
 * @returns Its path.
 */
export async function writeRunReport(
  folder: RunFolder,
  {
    command,
    trust,
    note,
  }: { readonly command?: string; readonly trust: boolean; readonly note: (line: string) => void },
): Promise<string> {
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
    samples: await samplesOf(recorded, folder.path, { trust, note }),
    ...(command !== undefined && { command }),
  });
  return folder.writeReport(page);
}

async function samplesOf(
  recorded: RecordedFacts,
  path: string,
  { trust, note }: { readonly trust: boolean; readonly note: (line: string) => void },
): Promise<readonly ReportSample[]> {
  const config = parseConfig(recorded, { where: `${path}/config.json` });
  const { dataset } = config;
  if (dataset.name === 'module' && !trust) {
    note(
      `Without samples: the module ${dataset.path}, which ${path} names, would have to be loaded (--trust).`,
    );
    return [];
  }
  // A handful is read: all of them need not be in memory, nor kept in a folder that the configuration names.
  const { cache: _, ...own } = config.data;
  const reading = { ...config, data: { ...own, inMemory: false } };
  try {
    const data = await openData({ dataset: await findDataset(dataset), config: reading });
    try {
      const { identity } = recorded;
      // They would stand beside predictions of other samples.
      if (
        identity &&
        dataDifferences(identity.data, data.identity, { splits: ['test'] }).test !== undefined
      ) {
        note('Without samples: the test split is not the one that the run began with.');
        return [];
      }
      return await reportSamples(data.test, modalitiesOf(config, data.test));
    } finally {
      await data.close();
    }
  } catch (error) {
    // The page is about the run; its data may be elsewhere by now.
    note(`Without samples: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}
