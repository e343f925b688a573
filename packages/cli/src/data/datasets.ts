import { join } from 'node:path';
import { type MultimodalDataset, type Split } from '@g2d/core';
import {
  avMnist,
  checkAvMnist,
  checkCremaD,
  checkIemocap,
  checkMisMe,
  checkUrFunny,
  checkVggSound,
  cremaD,
  iemocap,
  misMe,
  urFunny,
  vggSound,
  type DatasetCheck,
  type IemocapOptions,
} from '@g2d/datasets';
import { OptionError } from '@g2d/core';
import type { View } from './views.js';

/** What opening needs from the command line; the options of `--set` come with it. */
export interface OpenOptions {
  readonly root: string;
  readonly split: Split;
  /** By the rules of the reference. */
  readonly faithful: boolean;
  readonly [option: string]: unknown;
}

/** A dataset of the command line. */
export interface DataSource {
  readonly title: string;
  readonly open: (options: OpenOptions) => Promise<MultimodalDataset<string>>;
  readonly check: (
    folder: string,
    options: { readonly onProgress?: (done: number) => void; readonly [option: string]: unknown },
  ) => Promise<DatasetCheck>;
  /** How a modality is shown. Default: by its shape. */
  readonly views?: Readonly<Record<string, View>>;
  /** The sound file of a sample, where there is one. */
  readonly soundFile?: (id: string, options: OpenOptions) => string;
}

/** The datasets by the names that `g2d bench step` has too. */
export const dataSources: Readonly<Record<string, DataSource>> = {
  'crema-d': {
    title: 'CREMA-D',
    open: (options) => cremaD(options),
    check: (folder, options) => checkCremaD(folder, options),
    soundFile: (id, { root }) => join(root, 'AudioWAV', `${id}.wav`),
  },
  'av-mnist': {
    title: 'AV-MNIST',
    // The reference trains on all rows.
    open: ({ faithful, ...options }) => avMnist({ ...(faithful && { validationRows: 0 }), ...options }),
    check: (folder, options) => checkAvMnist(folder, options),
    views: { image: { kind: 'picture' }, audio: { kind: 'picture' } },
  },
  'vgg-sound': {
    title: 'VGGSound',
    open: (options) => vggSound(options),
    check: (folder, options) => checkVggSound(folder, options),
    soundFile: (id, { root, split }) => join(root, 'audio', split === 'test' ? 'test' : 'train', `${id}.wav`),
  },
  'ur-funny': {
    title: 'UR-FUNNY',
    open: (options) => urFunny(options),
    check: (folder, options) => checkUrFunny(folder, options),
  },
  iemocap: {
    title: 'IEMOCAP',
    open: (options) => iemocap(options as IemocapOptions),
    check: (folder, options) => checkIemocap(folder, options),
  },
  'mis-me': {
    title: 'MIS-ME',
    open: (options) => misMe(options),
    check: (folder, options) => checkMisMe(folder, options),
    views: {
      image: { kind: 'pixels', mean: [0.507, 0.468, 0.307], std: [0.194, 0.201, 0.17] },
      table: {
        kind: 'features',
        names: [
          'air_temperature',
          'relative_humidity',
          'precipitation',
          'solar_flux_density',
          'wind_speed',
          'barometric_pressure',
          'tilt_north_south',
          'tilt_west_east',
        ],
      },
    },
  },
};

/** @throws {OptionError} If there is no such dataset. */
export function dataSource(name: string | undefined): DataSource {
  const accepted = Object.keys(dataSources).join(', ');
  if (name !== undefined && Object.hasOwn(dataSources, name)) return dataSources[name] as DataSource;
  throw new OptionError(
    name === undefined
      ? `No dataset is named. It can be ${accepted}.`
      : `There is no dataset "${name}"; it can be ${accepted}.`,
    { option: 'dataset', value: name, accepted },
  );
}
