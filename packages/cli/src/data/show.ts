import { readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isThere, makeFolder } from '@g2d/formats/node';
import { defineCommand } from '../command.js';
import { required } from './arguments.js';
import { shaped } from './channels-first.js';
import { DATASET_NAMES } from './datasets.js';
import { openSample, sampleOptions } from './open-sample.js';
import { labelWords } from './label-words.js';
import { samplePage } from './page.js';
import { viewOf } from './views.js';

/** `g2d data show`. */
export const dataShow = defineCommand({
  usage: '<dataset> <folder> (--index N | --id ID) --out PAGE.html [options]',
  description: `Writes one page about one sample, to look at and to listen to: pictures and spectrograms as the network gets them, the recording, numbers as a table, and the label. The page loads nothing from elsewhere.

<dataset> is one of ${DATASET_NAMES}.`,
  options: {
    ...sampleOptions,
    out: { value: 'PAGE.html', help: 'the file' },
    split: { value: 'NAME', help: 'train, validation, test (default: test)' },
  },
  details: `Exit code: 0; 2 for an error.

Example: g2d data show crema-d data/crema-d --index 3 --out sample.html`,
  async run({ values, positionals }, { out, err }) {
    const path = required('--out', values.out, 'the file that the page goes to');
    const opened = await openSample(positionals, { ...values, split: values.split ?? 'test' }, { err });
    const { definition, options, dataset, index, sample } = opened;
    const sound = definition.soundFile?.(options, sample.id);
    const page = samplePage({
      title: definition.label,
      split: options.split,
      index,
      size: dataset.size,
      id: sample.id,
      ...labelWords(sample.label, dataset),
      parts: dataset.modalities.map((modality) => {
        const input = sample.inputs[modality] as Float32Array;
        const tensor = shaped(input, dataset.shapes[modality] as readonly (number | null)[]);
        const missing = sample.present?.[modality] === false;
        return { modality, missing, tensor, view: viewOf(tensor.shape, definition.views?.[modality]) };
      }),
      ...(sound !== undefined && isThere(sound) && { sound: readFileSync(sound) }),
    });
    makeFolder(dirname(path));
    writeFileSync(path, page);
    out(`${path}\n`);
    return 0;
  },
});
