import { defineDataset } from '@g2d/core';
import { checkUrFunny } from './ur-funny/check.js';
import { openUrFunny } from './ur-funny/open.js';
import { urFunnyOptions } from './ur-funny/options.js';

/**
 * UR-FUNNY: is the end of a talk's passage a punchline? Sound, face and words, all word by word.
 *
 * `audio` `[T, 81]` (COVAREP), `visual` `[T, 371]` (OpenFace), `text` `[T, 300]` (GloVe), of the punchline's first 20 words, the same
 * words in all three. What is not finite, such as −∞ in COVAREP, becomes 0 (`zeroed`); a sample without any word vector is left
 * out (`dropped`). Classes: 0 no joke, 1 joke. Pickles are read without executing anything.
 *
 * Everything is read at opening, which takes as much memory as the largest file (1 to 3 GB); what is taken is kept as float32, and the
 * rest let go. There is nothing left to decode, so worker threads, each of which would open it again, gain nothing.
 *
 * @throws {DatasetNotFoundError} If files are missing; the message says how to get them.
 * @throws {FileFormatError} If a file is damaged or names anything but data, or the files do not belong together.
 * @throws {OptionError} If an option has a value that is not accepted.
 * @example
 * const train = await urFunny({ root: 'data/ur-funny', split: 'train', normalization: 'train' });
 * train.shapes.audio; // [null, 81]
 * @see G2D, Sec. 4.1; Hasan et al., UR-FUNNY (2019); its packed form: Liang et al., MultiBench (2021); Li et al., AGM (2023)
 */
export const urFunny = defineDataset({
  name: 'ur-funny',
  label: 'UR-FUNNY',
  summary: "whether the end of a talk's passage is a punchline: sound, face and words, word by word",
  source: { paper: 'Hasan et al., UR-FUNNY, 2019', code: 'ROC-HCI/UR-FUNNY' },
  task: 'classification',
  modalities: ['audio', 'visual', 'text'],
  options: urFunnyOptions,
  open: openUrFunny,
  check: ({ root, widths }, onProgress) => checkUrFunny(root, { widths, onProgress }),
  benchmark: {
    classes: 2,
    // 20 words, as of its punchlines.
    modalities: {
      visual: { shape: [null, 371], length: 20, encoder: 'transformer' },
      audio: { shape: [null, 81], length: 20, encoder: 'transformer' },
      text: { shape: [null, 300], length: 20, encoder: 'transformer' },
    },
    scope: 'encoder',
  },
});
