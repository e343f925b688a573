import { defineDataset } from '@g2d/core';
import { checkMisMe } from './mis-me/check.js';
import { openMisMe, PIXELS } from './mis-me/open.js';
import { misMeOptions } from './mis-me/options.js';
import { FEATURES } from './mis-me/table.js';

/**
 * MIS-ME: soil moisture from a photograph of the ground and the weather; a regression.
 *
 * `image` `[224, 224, 3]`: resized without a crop, / 255, − mean, / std by channel. `table` `[8]`: a gap becomes the training
 * mean, then (x − mean) / std with the training rows' mean and population standard deviation. The label is the volumetric water
 * content as it stands, a fraction. Nothing is drawn at random. The published splits are read; they are random over patches of
 * photographs, so that patches of one photograph are in several splits.
 *
 * @throws {DatasetNotFoundError} If a table or a picture is missing; the message says how to get the data.
 * @throws {FileFormatError} If a table cannot be used (it names row and column); reading a sample throws it for a damaged picture.
 * @throws {OptionError} If an option has a value that is not accepted.
 * @example
 * const test = await misMe({ root: 'data/mis-me', split: 'test' });
 * test.task; // 'regression'
 * @see G2D, Sec. 4.1; Rakib et al., MIS-ME (2024)
 */
export const misMe = defineDataset({
  name: 'mis-me',
  label: 'MIS-ME',
  summary: 'soil moisture from a photograph of the ground and the weather; a regression',
  source: { paper: 'Rakib et al., MIS-ME, 2024', code: 'OSU-Complex-Systems/MIS-ME' },
  task: 'regression',
  modalities: ['image', 'table'],
  options: misMeOptions,
  open: openMisMe,
  check: ({ root, format, imageFolder, tableFolder }, onProgress) =>
    checkMisMe(root, { format, imageFolder, tableFolder, onProgress }),
  views: { image: { kind: 'pixels', ...PIXELS }, table: { kind: 'features', names: FEATURES } },
  benchmark: {
    classes: 1,
    modalities: {
      image: { shape: [224, 224, 3], encoder: 'mobilenet-v2' },
      table: { shape: [8], encoder: 'tabular-mlp' },
    },
    // The table's encoder has no convolutions.
    scope: 'encoder',
  },
});
