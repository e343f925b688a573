import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatasetNotFoundError, FileFormatError, perModality } from '@g2d/core';
import { assertSampleIndex } from '../sample-index.js';
import { findFeatures, readSpeakers, type FeatureFiles } from './gcnet-features.js';
import { readGcnetLabels, type GcnetUtterance } from './gcnet-labels.js';
import {
  HOW_TO_GET,
  MODALITIES,
  type IemocapOptions,
  type IemocapDataset,
  type IemocapModality,
} from './options.js';
import { bySession, checkHoldOut } from './utterances.js';

export const GCNET_FEATURES: Readonly<
  Record<IemocapModality, { readonly folder: string; readonly width: number }>
> = {
  audio: { folder: 'features/wav2vec-large-c-UTT', width: 512 },
  visual: { folder: 'features/manet_UTT', width: 1024 },
  text: { folder: 'features/deberta-large-4-UTT', width: 1024 },
};
const CLASS_NAMES = ['happy', 'sad', 'neutral', 'angry', 'excited', 'frustrated'] as const;

export const gcnetLabelFile = ({
  root,
  classes = 4,
  labelFile,
}: Omit<IemocapOptions, 'split' | 'form'>): string =>
  join(root, labelFile ?? `IEMOCAP_features_raw_${classes}way.pkl`);

/** IEMOCAP as GCNet's features; see `iemocap`. */
export async function gcnet(options: IemocapOptions): Promise<IemocapDataset> {
  const { root, split, classes = 4, speakers = 'own', official = false, validation, ...rest } = options;
  checkHoldOut(options, official);
  const labelPath = gcnetLabelFile(options);
  const folders = perModality(MODALITIES, (modality) => join(root, GCNET_FEATURES[modality].folder));
  const notFound = (missing: readonly string[]): DatasetNotFoundError =>
    new DatasetNotFoundError({ dataset: 'IEMOCAP (GCNet)', root, missing, howToGet: HOW_TO_GET.gcnet });
  const missing = [labelPath, ...Object.values(folders)].filter((path) => !existsSync(path));
  if (missing.length > 0) throw notFound(missing);

  const all = readGcnetLabels(labelPath, classes);
  const byId = new Map(all.map((utterance) => [utterance.id, utterance]));
  const ids = bySession([...byId.keys()], split, {
    ...rest,
    validation: validation ?? (official ? 0 : 'session'),
  });
  if (ids.length === 0)
    throw new FileFormatError(labelPath, `lists no utterance for the ${split} split of this fold.`);
  const features = perModality(MODALITIES, (modality): FeatureFiles => {
    // Of all sessions: what is missing should be known before the last fold.
    const found = findFeatures(folders[modality], [...byId.keys()]);
    if (found.missing.length > 0)
      throw notFound(shortened(found.missing.map((id) => join(folders[modality], id))));
    return found.files;
  });
  const size = ids.length;
  return {
    name: 'iemocap-gcnet',
    split,
    task: 'classification',
    modalities: MODALITIES,
    shapes: perModality(MODALITIES, (modality) => {
      const { width } = GCNET_FEATURES[modality];
      return speakers === 'own' ? [width] : [2, width];
    }),
    classNames: CLASS_NAMES.slice(0, classes),
    ids,
    labels: ids.map((id) => (byId.get(id) as GcnetUtterance).label),
    size,
    dropped: {},
    preprocessing: perModality(MODALITIES, (modality) => ({
      from: `features of ${GCNET_FEATURES[modality].folder}${modality === 'visual' ? ', the mean over the faces' : ''}`,
    })),
    source: { module: '@g2d/datasets', name: 'iemocap', options },
    async sample(index, { modalities = MODALITIES } = {}) {
      assertSampleIndex(index, { split, size });
      const { id, label, speaker } = byId.get(ids[index] as string) as GcnetUtterance;
      return {
        id,
        label,
        inputs: perModality<IemocapModality, Float32Array>(modalities, (modality) => {
          const { width } = GCNET_FEATURES[modality];
          const vectors = readSpeakers(features[modality].get(id) as string, {
            utterance: id,
            speaker,
            width,
          });
          return speakers === 'own' ? vectors[speaker] : Float32Array.of(...vectors.F, ...vectors.M);
        }),
      };
    },
    files: (index, modality) => [features[modality].get(ids[index] as string) as string],
    close() {},
  };
}

const SHOWN = 10;

/** The first of them, for a message. */
function shortened(paths: readonly string[]): readonly string[] {
  return paths.length > SHOWN ? [...paths.slice(0, SHOWN), `and ${paths.length - SHOWN} more`] : paths;
}
