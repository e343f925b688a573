import { defineDataset } from '@g2d/core';
import { checkIemocap } from './iemocap/check.js';
import { gcnet } from './iemocap/gcnet.js';
import { mla } from './iemocap/mla.js';
import { mmin } from './iemocap/mmin.js';
import { checkForm, iemocapOptions } from './iemocap/options.js';

/**
 * IEMOCAP: which emotion is in an utterance of two actors' dialogues? Sound, face and words, in one of three published forms.
 *
 * The paper does not say which one it uses.
 *
 * `form: 'mmin'` (default), sequences: `audio` `[T, 130]` (ComParE, ten steps a second), `visual` `[50, 342]` (DenseNet on faces, zeros
 * where there is none), `text` `[22, 1024]` (BERT, zeros behind). Ten published folds: four sessions train, and the two speakers of the
 * fifth are validation and test. Classes are numbers: nothing published names them.
 *
 * `form: 'gcnet'`, one vector each: `audio` `[512]`, `visual` `[1024]` (mean over the faces), `text` `[1024]`. Five folds, one session
 * tests each; the session before it is the validation split, and there is none if `official`. Classes: happy, sad, neutral, angry.
 *
 * `form: 'mla'`, prepared recordings: `audio` `[1024, 128, 1]` (log-mel, not normalised), `visual` `[256, 256, 3]` (the middle face;
 * ImageNet's mean and std; with `random` a random resized crop and flip), `text` `[256, 2]`: token ids of BERT as numbers, and beside
 * each 1 where it is padding, else 0; both are 0 for a text that is missing. Classes: Angry, Happy, Neutral, Sad.
 *
 * @throws {DatasetNotFoundError} If files are missing; the message says how to get them.
 * @throws {FileFormatError} If a file is damaged or lacks an utterance; reading a sample throws it too.
 * @throws {OptionError} If an option has a value that is not accepted, or there is no such split.
 * @throws {G2DError} `G2D_MISSING_DEPENDENCY` if MMIN's files are to be read and `h5wasm` is not installed.
 * @example
 * const train = await iemocap({ root: 'data/IEMOCAP_features_2021', split: 'train', fold: 3 });
 * const test = await iemocap({ form: 'gcnet', root: 'data/gcnet', split: 'test', fold: 1 });
 * @see G2D, Sec. 4.1, App. A.7; Busso et al., IEMOCAP (2008); Zhao et al., MMIN (2021); Lian et al., GCNet (2023); Zhang et al., MLA (2024)
 */
export const iemocap = defineDataset({
  name: 'iemocap',
  label: 'IEMOCAP',
  summary:
    "the emotion of an utterance of two actors' dialogue: sound, face and words, in three published forms",
  source: {
    paper:
      'Busso et al., IEMOCAP, 2008; Zhao et al., MMIN, 2021; Lian et al., GCNet, 2023; Zhang et al., MLA, 2024',
    code: 'AIM3-RUC/MMIN; zeroQiaoba/GCNet; Cecile-hi/Multimodal-Learning-with-Alternating-Unimodal-Adaptation',
  },
  task: 'classification',
  modalities: ['audio', 'visual', 'text'],
  options: iemocapOptions,
  open(options) {
    checkForm(options);
    return { mmin, gcnet, mla }[options.form](options);
  },
  check: ({ root, form, classes, labelFile, listFolder }, onProgress) =>
    checkIemocap(root, { form, classes, labelFile, listFolder, onProgress }),
  benchmark: {
    classes: 4,
    // Of MMIN's form. 100 audio steps of 0.1 s: about the longest utterance of a batch.
    modalities: {
      audio: { shape: [null, 130], length: 100, encoder: 'transformer' },
      visual: { shape: [null, 342], length: 50, encoder: 'transformer' },
      text: { shape: [null, 1024], length: 22, encoder: 'transformer' },
    },
    scope: 'encoder',
  },
});
