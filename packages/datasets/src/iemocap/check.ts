import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openHdf5, openNpy } from '@g2d/formats/node';
import { checkKeys, DatasetNotFoundError, perModality } from '@g2d/core';
import type { DatasetCheck } from '@g2d/core';
import { GCNET_FEATURES, gcnetLabelFile } from './gcnet.js';
import { findFeatures, readSpeakers } from './gcnet-features.js';
import { readGcnetLabels } from './gcnet-labels.js';
import { findUsable, mla, MLA_LISTS, mlaSplit } from './mla.js';
import { MMIN_FOLDS, mminFiles, readMmin, readMminTargets, readStatistics } from './mmin.js';
import { HOW_TO_GET, IEMOCAP_LICENCE, MODALITIES, type IemocapOptions } from './options.js';
import { SESSIONS, sessionOf } from './utterances.js';

/** Settings of `checkIemocap`. */
export interface CheckIemocapOptions {
  /** As of `iemocap`. Default `'mmin'`. */
  readonly form?: IemocapOptions['form'];
  /** As of `iemocap`; of GCNet's form only. */
  readonly classes?: IemocapOptions['classes'];
  /** As of `iemocap`; of GCNet's form only. */
  readonly labelFile?: string | undefined;
  /** As of `iemocap`; of MLA's form only. */
  readonly listFolder?: string | undefined;
  /** Called now and then with the part done, in [0, 1]. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

type Report = (reason: string, id: string) => void;
interface Counts {
  readonly expected: Readonly<Record<string, number>>;
  readonly found: Readonly<Record<string, number>>;
}

const FOUR = { happy: 1636, sad: 1084, neutral: 1708, angry: 1103 } as const;
const BY_SESSION = [1085, 1023, 1151, 1031, 1241] as const;
const SIX = { happy: 648, sad: 1084, neutral: 1708, angry: 1103, excited: 1041, frustrated: 1849 } as const;
const MLA_EXPECTED = {
  train: 3318,
  'train Angry': 685,
  'train Happy': 977,
  'train Neutral': 1014,
  'train Sad': 642,
  test: 1107,
  'test Angry': 200,
  'test Happy': 340,
  'test Neutral': 337,
  'test Sad': 230,
} as const;

/**
 * Looks through a folder of IEMOCAP in one of its forms: lists, labels, and the features of every utterance.
 *
 * @param folder As `root` of `iemocap`. It may be incomplete, or not there.
 * @throws {OptionError} If there is no such form.
 * @example
 * const { asPublished, problems } = await checkIemocap('data/gcnet', { form: 'gcnet' });
 */
export async function checkIemocap(folder: string, options: CheckIemocapOptions = {}): Promise<DatasetCheck> {
  checkKeys(
    options,
    { form: true, classes: true, labelFile: true, listFolder: true, onProgress: true },
    'checkIemocap',
  );
  const { form = 'mmin' } = options;
  const problems = new Map<string, string[]>();
  const report: Report = (reason, id) => {
    const ids = problems.get(reason);
    if (ids === undefined) problems.set(reason, [id]);
    else if (!ids.includes(id)) ids.push(id);
  };
  const { expected, found } = await { mmin: checkMmin, gcnet: checkGcnet, mla: checkMla }[form](
    folder,
    options,
    report,
  );
  return {
    dataset: `IEMOCAP (${{ mmin: 'MMIN', gcnet: 'GCNet', mla: 'MLA' }[form]})`,
    folder,
    licence: IEMOCAP_LICENCE,
    howToGet: HOW_TO_GET[form],
    expected,
    found,
    problems: [...problems].map(([reason, ids]) => ({ reason, ids })),
    asPublished:
      problems.size === 0 && Object.entries(expected).every(([what, count]) => found[what] === count),
  };
}

async function checkMmin(root: string, { onProgress }: CheckIemocapOptions, report: Report): Promise<Counts> {
  const all = new Set<string>();
  const folds: number[] = [];
  for (let fold = 1; fold <= MMIN_FOLDS; fold++) {
    const inFold: string[] = [];
    let parts = 0;
    for (const split of ['train', 'validation', 'test'] as const) {
      const { names, labels } = mminFiles(root, fold, split);
      const missing = [names, labels].filter((path) => !existsSync(path));
      for (const path of missing) report('file missing', path);
      if (missing.length > 0) continue;
      await attempt(report, () => {
        inFold.push(...readMminTargets(names, labels).ids);
        parts++;
      });
    }
    const distinct = new Set(inFold);
    // An incomplete fold has been reported.
    if (parts === 3) {
      const same = folds.length === 0 || (distinct.size === all.size && inFold.every((id) => all.has(id)));
      if (!same || distinct.size < inFold.length)
        report('folds that do not hold the same utterances, each once', `fold ${fold}`);
      folds.push(fold);
      for (const id of inFold) all.add(id);
    }
  }

  const files = mminFiles(root, 1, 'train');
  if (!existsSync(files.statistics)) report('file missing', files.statistics);
  // Without a whole fold, at least whether it can be read.
  for (const fold of existsSync(files.statistics) ? [...folds, ...(folds.length === 0 ? [1] : [])] : []) {
    await attempt(report, async () => void (await readStatistics(files.statistics, fold)));
  }
  let done = 0;
  for (const modality of MODALITIES) {
    const path = files[modality];
    if (!existsSync(path)) {
      report('file missing', path);
      continue;
    }
    await attempt(report, async () => {
      const file = await openHdf5(path);
      try {
        const there = new Set(file.names());
        for (const id of all) {
          if (done++ % 100 === 0) onProgress?.(done / (3 * all.size + 1));
          if (!there.has(id)) report(`no features in ${path}`, id);
          else await attempt(report, () => void readMmin(file, id, modality));
        }
      } finally {
        file.close();
      }
    });
  }
  return {
    expected: { utterances: 5531, folds: MMIN_FOLDS },
    found: { utterances: all.size, folds: folds.length },
  };
}

async function checkGcnet(
  root: string,
  { classes = 4, labelFile, onProgress }: CheckIemocapOptions,
  report: Report,
): Promise<Counts> {
  const perClass: Readonly<Record<string, number>> = classes === 4 ? FOUR : SIX;
  const expected: Record<string, number> = { utterances: 0, ...perClass };
  for (const count of Object.values(perClass))
    expected['utterances'] = (expected['utterances'] as number) + count;
  const found: Record<string, number> = Object.fromEntries(Object.keys(expected).map((what) => [what, 0]));
  for (let session = 1; session <= SESSIONS; session++) {
    // By session it is published of the four classes only.
    if (classes === 4) expected[`session ${session}`] = BY_SESSION[session - 1] as number;
    found[`session ${session}`] = 0;
  }
  const count = (what: string): void => {
    found[what] = (found[what] ?? 0) + 1;
  };

  const labels = gcnetLabelFile({ root, classes, ...(labelFile !== undefined && { labelFile }) });
  const folders = perModality(MODALITIES, (modality) => join(root, GCNET_FEATURES[modality].folder));
  for (const path of [labels, ...Object.values(folders)]) if (!existsSync(path)) report('file missing', path);
  let utterances: ReturnType<typeof readGcnetLabels> = [];
  await attempt(report, () => {
    if (existsSync(labels)) utterances = readGcnetLabels(labels, classes);
  });
  if (utterances.length === 0) {
    // Nobody says which are needed: whether each can be read at least.
    for (const folder of Object.values(folders)) {
      for (const path of existsSync(folder) ? npyFilesIn(folder) : []) {
        await attempt(report, () => openNpy(path).close());
      }
    }
    return { expected, found };
  }
  await attempt(report, async () => {
    for (const { id, label } of utterances) {
      count('utterances');
      count(Object.keys(perClass)[label] as string);
      count(`session ${sessionOf(id)}`);
    }
    let done = 0;
    for (const modality of MODALITIES) {
      const folder = folders[modality];
      if (!existsSync(folder)) continue;
      await attempt(report, async () => {
        const { files, missing } = findFeatures(
          folder,
          utterances.map(({ id }) => id),
        );
        for (const id of missing) report(`no features in ${folder}`, id);
        for (const { id, speaker } of utterances) {
          if (done++ % 100 === 0) onProgress?.(done / (3 * utterances.length + 1));
          const path = files.get(id);
          const { width } = GCNET_FEATURES[modality];
          if (path === undefined) continue;
          await attempt(report, () => void readSpeakers(path, { utterance: id, speaker, width }));
          if (isEmptyFolder(path)) report('folder without features, read as zeros', path);
        }
      });
    }
  });
  return { expected, found };
}

/** Samples that are read at the same time: a few more than there are threads for it. */
const AT_ONCE = 8;

async function checkMla(
  root: string,
  { listFolder, onProgress }: CheckIemocapOptions,
  report: Report,
): Promise<Counts> {
  const found: Record<string, number> = Object.fromEntries(
    Object.keys(MLA_EXPECTED).map((what) => [what, 0]),
  );
  const parts = Object.keys(MLA_LISTS) as (keyof typeof MLA_LISTS)[];
  for (const [part, split] of parts.entries()) {
    const options: IemocapOptions = {
      form: 'mla',
      root,
      split,
      validation: 0,
      ...(listFolder !== undefined && { listFolder }),
    };
    await attempt(report, async () => {
      const listed = mlaSplit(options);
      const names = ['Angry', 'Happy', 'Neutral', 'Sad'];
      found[split] = listed.length;
      names.forEach((name, label) => {
        found[`${split} ${name}`] = listed.filter((utterance) => utterance.label === label).length;
      });
      const { usable, dropped } = findUsable(listed);
      for (const [reason, ids] of Object.entries(dropped))
        for (const id of ids) report(`${reason} (${split})`, id);
      if (usable.length === 0) return;
      const dataset = await mla(options);
      for (let from = 0; from < dataset.size; from += AT_ONCE) {
        onProgress?.((part + from / dataset.size) / parts.length);
        const piece = Array.from({ length: Math.min(AT_ONCE, dataset.size - from) }, (_, i) => from + i);
        await Promise.all(
          piece.map((index) => attempt(report, async () => void (await dataset.sample(index)))),
        );
      }
    });
  }
  return { expected: MLA_EXPECTED, found };
}

const npyFilesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.npy'))
    .sort()
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());

const isEmptyFolder = (path: string): boolean =>
  statSync(path).isDirectory() && readdirSync(path).every((name) => name.startsWith('.'));

/** Does it, or notes why it cannot be done. */
async function attempt(report: Report, what: () => void | Promise<void>): Promise<void> {
  try {
    await what();
  } catch (error) {
    if (error instanceof DatasetNotFoundError) {
      for (const name of error.details['missing'] as readonly string[]) report('file missing', name);
    } else {
      report(
        'broken, or does not belong to the rest',
        error instanceof Error ? error.message : String(error),
      );
    }
  }
}
