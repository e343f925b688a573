// The examples of the six datasets, as their READMEs describe them.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');

/** Dataset → its modalities. */
export const DATASETS = {
  'crema-d': ['audio', 'video'],
  'av-mnist': ['audio', 'image'],
  'vgg-sound': ['audio', 'video'],
  'ur-funny': ['audio', 'visual', 'text'],
  iemocap: ['audio', 'visual', 'text'],
  'mis-me': ['image', 'table'],
} as const;

export type DatasetName = keyof typeof DATASETS;
export const NAMES = Object.keys(DATASETS) as readonly DatasetName[];

export const exampleFile = (dataset: DatasetName, name: string): string =>
  join(root, 'examples', dataset, name);

export const readme = (dataset: DatasetName): string =>
  readFileSync(exampleFile(dataset, 'README.md'), 'utf8');

/** The words of each `npx g2d` command of a README that has a certain text in it, without `npx g2d`. */
export const commands = (dataset: DatasetName, text: string): readonly (readonly string[])[] =>
  readme(dataset)
    .split('\n')
    .filter((line) => line.startsWith('npx g2d ') && line.includes(text))
    .map((line) => line.split(' ').slice(2));

/** The value of an option in a command. */
export const optionOf = (command: readonly string[], option: string): string | undefined =>
  command.includes(option) ? command[command.indexOf(option) + 1] : undefined;
