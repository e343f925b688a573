import { defineDataset } from '@g2d/core';
import { checkMultipleFeatures } from './multiple-features/check.js';
import { openMultipleFeatures } from './multiple-features/open.js';
import { multipleFeaturesOptions } from './multiple-features/options.js';
import { VIEWS } from './multiple-features/views.js';

/**
 * Multiple Features: 2,000 handwritten numerals, each described six times over; the repository has the files.
 *
 * `fou` `[76]`: Fourier coefficients of the shape. `fac` `[216]`: profile correlations. `kar` `[64]`: Karhunen-Loève coefficients.
 * `pix` `[16, 15, 1]` or `[240]`: pixel averages. `zer` `[47]`: Zernike moments. `mor` `[6]`: morphological features. Each is (x − mean) / std
 * with the training split's mean and population standard deviation, column by column, of a picture over all pixels. 1,200 / 300 / 500
 * numerals, 120 / 30 / 50 of each class. With a column as `target` it is a regression, of a number between 0.1 and 0.9.
 *
 * @throws {DatasetNotFoundError} If a file is missing.
 * @throws {FileFormatError} If a file is not the repository's; the message says what is other.
 * @throws {OptionError} If an option has a value that is not accepted, or a view holds the target.
 * @example
 * const train = await multipleFeatures({ root: 'data/multiple-features', split: 'train', views: ['fou', 'mor', 'zer'] });
 * @see R.P.W. Duin and others, "Multiple Features", UCI Machine Learning Repository, data set 72
 */
export const multipleFeatures = defineDataset({
  name: 'multiple-features',
  label: 'Multiple Features',
  summary:
    'handwritten numerals in up to six descriptions, real and shipped: 1,200 / 300 / 500; 10 classes, or a regression',
  source: { paper: 'R.P.W. Duin and others, Multiple Features, UCI Machine Learning Repository' },
  task: 'classification',
  modalities: VIEWS,
  options: multipleFeaturesOptions,
  open: openMultipleFeatures,
  check: ({ root }, onProgress) => checkMultipleFeatures(root, onProgress),
  views: { pix: { kind: 'picture' } },
});
