import { OptionError, type MultimodalDataset, type Split } from '@g2d/core';
import { z } from 'zod';

export type IemocapModality = 'audio' | 'visual' | 'text';
export const MODALITIES = ['audio', 'visual', 'text'] as const;

/** IEMOCAP, with what was left out when it was opened. */
export interface IemocapDataset extends MultimodalDataset<IemocapModality> {
  /** Reason → ids that the files list but that are not in `ids`. */
  readonly dropped: Readonly<Record<string, readonly string[]>>;
}

const FORMS = ['mmin', 'gcnet', 'mla'] as const;

/** Options of `iemocap`; `FORMS_OF` says which are of one form only. */
export const iemocapOptions = z.strictObject({
  root: z.string().describe('the folder of the form'),
  form: z
    .enum(FORMS)
    .default('mmin')
    .describe(
      "'mmin': sequences. 'gcnet': one vector for each utterance. 'mla': spectrograms, pictures, token ids",
    ),
  official: z
    .boolean()
    .default(false)
    .describe("as the code of the form's authors: no validation split where they have none"),
  fold: z
    .int()
    .min(1)
    .max(10)
    .optional()
    .describe(
      "mmin: the published fold, 1 to 10, one for each speaker; default 1. gcnet, and mla with `splits: 'session'`: the session that tests, 1 to 5; default 5",
    ),
  audioNormalization: z
    .enum(['fold', 'utterance', 'none'])
    .optional()
    .describe(
      "mmin: of the sound's features. 'fold' (default) by mean and std of the fold's training split, 'utterance' by those of the utterance (unbiased)",
    ),
  validation: z
    .union([z.literal('session'), z.number().min(0).lt(1)])
    .optional()
    .describe(
      "gcnet, mla. 'session': the session before the one that tests (before 1 comes 5), so that its speakers are new too. A number: this share of the training split, in whole dialogues, at random; of mla's lists in utterances. Default 'session', of mla's lists 0.1; with `official` 0",
    ),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .optional()
    .describe('gcnet, mla: of the random share. Default 0'),
  classes: z
    .union([z.literal(4), z.literal(6)])
    .optional()
    .describe(
      'gcnet: happy (with excited), sad, neutral, angry; or six with excited and frustrated. Default 4',
    ),
  labelFile: z
    .string()
    .optional()
    .describe('gcnet: within `root`. Default `IEMOCAP_features_raw_4way.pkl`, or `_6way`'),
  speakers: z
    .enum(['own', 'both'])
    .optional()
    .describe(
      "gcnet. 'own' (default): the vector of who speaks, `[D]`. 'both': the woman's and the man's, `[2, D]`; the listener may have a face",
    ),
  splits: z
    .enum(['lists', 'session'])
    .optional()
    .describe(
      "mla. 'lists' (default): `my_train_iemo.txt` and `my_test_iemo.txt`, random over utterances. 'session': the utterances of both lists by session",
    ),
  listFolder: z.string().optional().describe('mla: where the lists are. Default `root`'),
});

type Form = (typeof FORMS)[number];

/** Options that not every form has. */
const FORMS_OF: Readonly<Record<string, readonly Form[]>> = {
  audioNormalization: ['mmin'],
  validation: ['gcnet', 'mla'],
  seed: ['gcnet', 'mla'],
  classes: ['gcnet'],
  labelFile: ['gcnet'],
  speakers: ['gcnet'],
  splits: ['mla'],
  listFolder: ['mla'],
};

/** @throws {OptionError} If an option is of another form. */
export function checkForm(options: z.output<typeof iemocapOptions>): void {
  const { form } = options;
  for (const [option, forms] of Object.entries(FORMS_OF)) {
    const value = options[option as keyof typeof options];
    if (value === undefined || forms.includes(form)) continue;
    const known = Object.keys(iemocapOptions.shape).filter((name) => FORMS_OF[name]?.includes(form) ?? true);
    throw new OptionError(
      `iemocap: there is no option \`${option}\` with \`form: '${form}'\`; known: ${known.join(', ')}.`,
      { option, value, accepted: known.join(', ') },
    );
  }
}

/** Settings of `iemocap`. */
export type IemocapOptions = z.input<typeof iemocapOptions> & { readonly split: Split };

export const IEMOCAP_LICENCE =
  'a signed release form of the University of Southern California (academic use); not to be passed on';
const RELEASE = `IEMOCAP needs a signed release form, from SAIL at the University of Southern California. Licence: ${IEMOCAP_LICENCE}.`;
export const HOW_TO_GET: Readonly<Record<'mmin' | 'gcnet' | 'mla', string>> = {
  mmin: `The features IEMOCAP_features_2021 are linked from the GitHub repository AIM3-RUC/MMIN. ${RELEASE}`,
  gcnet: `The features are linked from the GitHub repository zeroQiaoba/GCNet (IEMOCAPFour, IEMOCAPSix). ${RELEASE}`,
  mla:
    'The lists are in the GitHub repository Cecile-hi/Multimodal-Learning-with-Alternating-Unimodal-Adaptation, whose scripts make ' +
    `audio/, visual/ and text_token/ from the recordings. ${RELEASE}`,
};
