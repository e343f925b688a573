import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, writeNpy } from '@g2d/formats/node';
import { defineCommand } from '../command.js';
import { required } from './arguments.js';
import { channelsFirst, shaped } from './channels-first.js';
import { DATASET_NAMES } from './datasets.js';
import { openSample, sampleOptions } from './open-sample.js';

/** `g2d data tensor`. */
export const dataTensor = defineCommand({
  usage: '<dataset> <folder> --split NAME (--index N | --id ID) --out DIR [options]',
  description: `Writes what a network gets from one sample, for comparison with other tools: <modality>.npy for each modality, float32, channels first ([C, H, W]; frames [C, T, H, W]; sequences [T, D]; rows [D]), and sample.json. Without augmentation: the test transform.

<dataset> is one of ${DATASET_NAMES}.`,
  options: {
    ...sampleOptions,
    split: { value: 'NAME', help: 'train, validation, test' },
    out: { value: 'DIR', help: 'where the files go; it is made if it does not exist' },
    official: {
      ...sampleOptions.official,
      help: `${sampleOptions.official.help}: its classes and their order, split, choice of frames, crops and dropping`,
    },
  },
  details: `sample.json: {"id", "label", "size" (samples in the split), "dataset", "split", "index", "task", "className" (of a
classification), "classNames" (of a multi-label task), "shapes": {modality: shape as written}, "present" (where the sample lacks a modality)}.
Standard output names the files.

Exit code: 0; 2 for an error.

Example: g2d data tensor crema-d data/crema-d --split test --index 0 --out sample --official`,
  async run({ values, positionals }, { out, err }) {
    const folder = required('--out', values.out, 'the folder that the files go to');
    const { name, options, dataset, index, sample } = await openSample(positionals, values, { err });
    makeFolder(folder);
    const shapes: Record<string, readonly number[]> = {};
    for (const modality of dataset.modalities) {
      const input = sample.inputs[modality] as Float32Array;
      const tensor = channelsFirst(shaped(input, dataset.shapes[modality] as readonly (number | null)[]));
      shapes[modality] = tensor.shape;
      const path = join(folder, `${modality}.npy`);
      writeNpy(path, tensor.values, tensor.shape);
      out(`${path}\n`);
    }
    const description = {
      id: sample.id,
      label: sample.label,
      size: dataset.size,
      dataset: name,
      split: options.split,
      index,
      task: dataset.task,
      ...(typeof sample.label !== 'number'
        ? { classNames: sample.label.map((id) => dataset.classNames[id]) }
        : dataset.task === 'classification' && { className: dataset.classNames[sample.label] }),
      shapes,
      ...(sample.present && { present: sample.present }),
    };
    const path = join(folder, 'sample.json');
    writeFileSync(path, `${JSON.stringify(description, null, 2)}\n`);
    out(`${path}\n`);
    return 0;
  },
});
