import { checkOneOf } from './clips/options.js';
import { gcnet } from './iemocap/gcnet.js';
import { mla } from './iemocap/mla.js';
import { mmin } from './iemocap/mmin.js';
import type { IemocapDataset, IemocapOptions } from './iemocap/options.js';

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
 * tests each; the session before it is the validation part, and there is none if `faithful`. Classes: happy, sad, neutral, angry.
 *
 * `form: 'mla'`, prepared recordings: `audio` `[1024, 128, 1]` (log-mel, not normalised), `visual` `[256, 256, 3]` (the middle face;
 * ImageNet's mean and std; with `random` a random resized crop and flip), `text` `[256, 2]`: token ids of BERT as numbers, and beside
 * each 1 where it is padding, else 0; both are 0 for a text that is missing. Classes: Angry, Happy, Neutral, Sad.
 *
 * @throws {DatasetNotFoundError} If files are missing; the message says how to get them.
 * @throws {FileFormatError} If a file is damaged or lacks an utterance; reading a sample throws it too.
 * @throws {OptionError} If an option has a value that is not accepted, or there is no such part.
 * @throws {G2DError} `G2D_MISSING_DEPENDENCY` if MMIN's files are to be read and `h5wasm` is not installed.
 * @example
 * const train = await iemocap({ root: 'data/IEMOCAP_features_2021', split: 'train', fold: 3 });
 * const test = await iemocap({ form: 'gcnet', root: 'data/gcnet', split: 'test', fold: 1 });
 * @see G2D, Sec. 4.1, App. A.7; Busso et al., IEMOCAP (2008); Zhao et al., MMIN (2021); Lian et al., GCNet (2023); Zhang et al., MLA (2024)
 */
export async function iemocap(options: IemocapOptions): Promise<IemocapDataset> {
  checkOneOf('form', options.form ?? 'mmin', ['mmin', 'gcnet', 'mla']);
  checkOneOf('split', options.split, ['train', 'validation', 'test']);
  if (options.form === 'gcnet') return gcnet(options);
  if (options.form === 'mla') return mla(options);
  return mmin(options);
}
