import type { MultimodalDataset, Split } from '@g2d/core';

export type IemocapModality = 'audio' | 'visual' | 'text';
export const MODALITIES = ['audio', 'visual', 'text'] as const;

/** IEMOCAP, with what was left out when it was opened. */
export interface IemocapDataset extends MultimodalDataset<IemocapModality> {
  /** Reason → ids that the files list but that are not in `ids`. */
  readonly dropped: Readonly<Record<string, readonly string[]>>;
}

interface Common {
  readonly root: string;
  readonly split: Split;
  /** As the code of the form's authors: no validation part where they have none. Default false. */
  readonly faithful?: boolean;
}

/** The features of MMIN: sequences. */
export interface MminOptions extends Common {
  /** Default. */
  readonly form?: 'mmin';
  /** The published fold, 1 to 10, one for each speaker. Default 1. */
  readonly fold?: number;
  /**
   * Of the sound's features: `'fold'` (default) by mean and std of the fold's training part, `'utterance'` by those of the utterance
   * (unbiased), `'none'`.
   */
  readonly audioNormalization?: 'fold' | 'utterance' | 'none';
}

/** How a validation part is taken from the training part. */
export interface HoldOutOptions {
  /** The session that tests, 1 to 5. Default 5. */
  readonly fold?: number;
  /**
   * `'session'`: the session before the one that tests (before 1 comes 5), so that its speakers are new too. A number: this share of
   * the training part, in whole dialogues, at random. 0: none.
   */
  readonly validation?: 'session' | number;
  /** Of the random share. Default 0. */
  readonly seed?: number;
}

/** The features of GCNet: one vector for each utterance. */
export interface GcnetOptions extends Common, HoldOutOptions {
  readonly form: 'gcnet';
  /** Happy (with excited), sad, neutral, angry; or six with excited and frustrated. Default 4. */
  readonly classes?: 4 | 6;
  /** Within `root`. Default `IEMOCAP_features_raw_4way.pkl`, or `_6way`. */
  readonly labelFile?: string;
  /** `'own'` (default): the vector of who speaks, `[D]`. `'both'`: the woman's and the man's, `[2, D]`; the listener may have a face. */
  readonly speakers?: 'own' | 'both';
}

/** The prepared files of MLA: spectrograms, pictures, token ids. */
export interface MlaOptions extends Common, HoldOutOptions {
  readonly form: 'mla';
  /**
   * `'lists'` (default): `my_train_iemo.txt` and `my_test_iemo.txt`, random over utterances; `validation` is a share of utterances,
   * 0.1 by default. `'session'`: the utterances of both lists by session.
   */
  readonly parts?: 'lists' | 'session';
  /** Where the lists are. Default `root`. */
  readonly listFolder?: string;
}

/** Settings of `iemocap`, in one of three forms. */
export type IemocapOptions = MminOptions | GcnetOptions | MlaOptions;

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
