import type { DatasetCheck } from '@g2d/core';

/** Where the paper uses a dataset: its tables and figures that are trained, and what each of them needs. */
const PLACES: Readonly<Record<string, Needs>> = {
  'Table 1': { datasets: ['crema-d', 'av-mnist', 'vgg-sound'] },
  'Table 2': { datasets: ['ur-funny'] },
  'Table 3': { datasets: ['mis-me'] },
  'Table 4': { datasets: ['crema-d', 'av-mnist', 'ur-funny'] },
  'Table 5': { datasets: ['crema-d', 'av-mnist', 'vgg-sound', 'ur-funny'] },
  'Table 6': { datasets: ['crema-d', 'av-mnist', 'vgg-sound', 'ur-funny'] },
  'Table 7': { datasets: ['crema-d', 'iemocap'], whole: ['folds'] },
  'Table 8': { datasets: ['crema-d', 'av-mnist'] },
  'Table 9': { datasets: ['crema-d', 'av-mnist'] },
  'Table 11': { datasets: ['iemocap'], whole: ['folds'] },
  'Table 12': { datasets: ['crema-d', 'ur-funny'] },
  'Figure 1': { datasets: ['crema-d'] },
  'Figure 3': { datasets: ['crema-d', 'av-mnist', 'vgg-sound', 'ur-funny'] },
  'Figure 4': { datasets: ['av-mnist', 'ur-funny'] },
  'Figure 5': { datasets: ['crema-d'] },
  'Figure 6': { datasets: ['crema-d', 'av-mnist', 'vgg-sound', 'ur-funny'] },
};

interface Needs {
  /** Each has rows of its own: those whose data are not there stay empty. */
  readonly datasets: readonly string[];
  /** Parts of a check that must be complete where there are such: a mean over all of them is taken. */
  readonly whole?: readonly string[];
}

/** Parts without which nothing can be trained. */
const VITAL = ['train', 'test', 'utterances'];

/** One table or figure that uses a dataset. */
export interface PaperUse {
  /** `Table 4`. */
  readonly name: string;
  /** Other datasets that it shows. */
  readonly also: readonly string[];
  /** With what is there: its numbers stand beside the published ones, it trains with other data than published, or not at all. */
  readonly with: 'as published' | 'fewer samples' | 'nothing';
}

/** The paper's tables and figures that use a dataset, and whether they can be run with what a check has found. Empty for any other dataset. */
export function paperUses(
  name: string,
  { expected, found, asPublished }: Pick<DatasetCheck, 'expected' | 'found' | 'asPublished'>,
): readonly PaperUse[] {
  const trains = VITAL.filter((part) => part in expected).every((part) => (found[part] ?? 0) > 0);
  return Object.entries(PLACES).flatMap(([place, { datasets, whole = [] }]) => {
    if (!datasets.includes(name)) return [];
    const isWhole = whole.every((part) => (found[part] ?? 0) >= (expected[part] ?? 0));
    const state = asPublished ? 'as published' : trains && isWhole ? 'fewer samples' : 'nothing';
    return [{ name: place, also: datasets.filter((other) => other !== name), with: state }];
  });
}

/** Lines for a person; none for a dataset that the paper does not use. */
export function usesWords(uses: readonly PaperUse[]): string {
  const of = (state: PaperUse['with']): string =>
    uses
      .filter((use) => use.with === state)
      .map(({ name, also }) => `  ${name}${also.length > 0 ? `, beside ${also.join(', ')}` : ''}\n`)
      .join('');
  const [published, fewer, nothing] = [of('as published'), of('fewer samples'), of('nothing')];
  return [
    published && `\nWhat can be run with it, as published (g2d table N --scale paper):\n${published}`,
    fewer &&
      `\nWhat can be run with the samples that are there (g2d table N --scale paper); the numbers are of other data than the published ones:\n${fewer}`,
    nothing && `\nWhat cannot be run yet:\n${nothing}`,
  ].join('');
}
