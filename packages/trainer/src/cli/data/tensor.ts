import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeNpy } from '@g2d/formats/node';
import type { Command } from '../command.js';
import { required } from './arguments.js';
import { channelsFirst, shaped } from './channels-first.js';
import { dataSources } from './datasets.js';
import { openSample, sampleOptions } from './open-sample.js';

const help = `Usage: g2d data tensor <dataset> <folder> --split NAME (--index N | --id ID) --out DIR [options]

Writes what a network gets from one sample, for comparison with other tools: <modality>.npy for each modality, float32, channels
first ([C, H, W]; frames [C, T, H, W]; sequences [T, D]; rows [D]), and sample.json. Without augmentation: the test transform.

<dataset> is one of ${Object.keys(dataSources).join(', ')}.

Options:
  --split NAME      train, validation, test
  --index N         which sample, from 0
  --id ID           which sample, by its id
  --out DIR         where the files go; it is made if it does not exist
  --faithful        by the rules of the reference: its classes and their order, split, choice of frames, crops and dropping
  --set KEY=VALUE   an option of the loader, such as format=csv for mis-me; may be given several times
  --help            this text

sample.json: {"id", "label", "size" (samples in the split), "dataset", "split", "index", "task", "className" (of a
classification), "shapes": {modality: shape as written}, "present" (where the sample lacks a modality)}.
Standard output names the files.

Exit code: 0; 2 for an error.

Example: g2d data tensor crema-d data/crema-d --split test --index 0 --out sample --faithful
`;

/** `g2d data tensor`. */
export const dataTensor: Command = {
  help,
  async run(args, { out }) {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: sampleOptions });
    const folder = required('--out', values.out, 'the folder that the files go to');
    const { name, options, dataset, index, sample } = await openSample(positionals, values);
    mkdirSync(folder, { recursive: true });
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
      ...(dataset.task === 'classification' && { className: dataset.classNames[sample.label] }),
      shapes,
      ...(sample.present && { present: sample.present }),
    };
    const path = join(folder, 'sample.json');
    writeFileSync(path, `${JSON.stringify(description, null, 2)}\n`);
    out(`${path}\n`);
    return 0;
  },
};
