import { join, resolve } from 'node:path';
import { loadTensorFlow } from '@g2d/native';
import { type CheckpointLabel, loadRun } from '@g2d/runs';
import { exportModel, type ExportedModel } from '@g2d/runs/internal';
import { defineCommand } from '../command.js';
import { loadingWords, onlyRun, trustOption } from './run-argument.js';

/** `g2d export`. */
export const exportCommand = defineCommand({
  usage: 'RUN [options]',
  description: `Writes the model of a run for plain TensorFlow.js, in Node or a browser, without any of these packages: model.json, weights.bin, and g2d.json (inputs with their preprocessing, outputs, class names), which is the model's metadata too. Prints the lines that load it.

RUN is a run folder.`,
  options: {
    out: { value: 'DIR', help: '(default: RUN/export)' },
    checkpoint: {
      value: 'L',
      help: 'last, best or epoch-0010 (default: the one that the run has selected)',
    },
    data: { value: 'DIR', help: "the dataset's folder, if it is not where it was" },
    'allow-changed': { help: 'go on although a module of the model is not what it was' },
    trust: trustOption,
    json: { help: 'the content of g2d.json' },
  },
  details: 'Example: g2d export runs/g2d --out public/model',
  async run({ values, positionals }, { out: print, err }) {
    const path = onlyRun(positionals, 'export');
    const out = values.out ?? join(path, 'export');
    const loading = values.trust ? loadingWords(path) : undefined;
    if (loading !== undefined) err(`${loading}\n`);
    await loadTensorFlow({ quiet: true });
    const run = await loadRun(path, {
      trust: values.trust,
      ...(values.checkpoint !== undefined && { checkpoint: values.checkpoint as CheckpointLabel }),
      changes: {
        ...(values.data !== undefined && { 'dataset.root': values.data }),
        ...(values['allow-changed'] && { allowChanged: true }),
      },
    });
    for (const note of run.notes) err(`${note}\n`);
    try {
      const description = await exportModel(run, out);
      print(values.json ? `${JSON.stringify(description)}\n` : instructions(description, out));
      return 0;
    } finally {
      await run.close();
    }
  },
});

/** The lines that load a model and use it, with all that its inputs need before. */
function instructions({ inputs, outputs, task, output }: ExportedModel, out: string): string {
  const lines = inputs.map(inputLines);
  const names = inputs.map(({ modality }) => identifier(modality));
  const given = names.length === 1 ? names[0] : `[${names.join(', ')}]`;
  const results = outputs.map((name) => `${identifier(name)}Logits`);
  const use = {
    classification: `tf.softmax(${results[0]}).print(); // probabilities, in the order of classNames`,
    'multi-label': `tf.sigmoid(${results[0]}).print(); // of each class a probability of its own, in the order of classNames`,
    regression: output === 'identity' ? `${results[0]}.print();` : `tf.sigmoid(${results[0]}).print();`,
  }[task];
  return `${out}: model.json, weights.bin, g2d.json

import * as tf from '@tensorflow/tfjs-node'; // in a page: '@tensorflow/tfjs', and the address of model.json
const model = await tf.loadLayersModel('file://${resolve(out)}/model.json');
const { ${task === 'regression' ? 'inputs' : 'inputs, classNames'} } = model.getUserDefinedMetadata(); // what is in g2d.json
${lines.join('\n')}
const ${results.length === 1 ? results[0] : `[${results.join(', ')}]`} = model.predict(${given});
${use}
`;
}

/** One input: what it is, and its raw numbers made into what the model was trained on. */
function inputLines(
  { modality, shape, preprocessing }: ExportedModel['inputs'][number],
  index: number,
): string {
  const sizes = [1, ...shape.map((size) => size ?? 20)].join(', ');
  const length = shape.includes(null) ? ', of any length' : '';
  const raw = `const ${identifier(modality)} = tf.zeros([${sizes}])`;
  if (!preprocessing) {
    return `// ${modality}: the dataset does not say what was done to its numbers; do here what its sample() does, or the answers are wrong.
${raw}; // yours${length}`;
  }
  const { from, sampleRate, divideBy, mean, std } = preprocessing;
  const place = `inputs[${index}].preprocessing`;
  const steps = [
    divideBy === undefined ? '' : `.div(${place}.divideBy)`,
    mean === undefined ? '' : `.sub(${place}.mean)`,
    std === undefined ? '' : `.div(${place}.std)`,
  ].join('');
  return `// ${modality}: ${from}${sampleRate === undefined ? '' : `, at ${sampleRate} Hz`}
${raw}${steps}; // yours${length}, in place of zeros`;
}

const identifier = (name: string): string =>
  name.replaceAll(/\W+(\w)?/g, (_, next: string | undefined) => (next ?? '').toUpperCase());
