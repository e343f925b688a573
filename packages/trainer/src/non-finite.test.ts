// From a number that is none in a sample to the sentence that says so.
import * as tf from '@tensorflow/tfjs';
import type { MultimodalDataset, Split } from '@g2d/core';
import { batches } from '@g2d/datasets';
import { smallAudioEncoder, smallImageEncoder, tabularMlp, transformer } from '@g2d/encoders';
import { lateFusion, MultimodalModel } from '@g2d/fusion';
import { loadTensorFlow } from '@g2d/native';
import { beforeAll, describe, expect, it } from 'vitest';
import { evaluate, inferenceOf } from './evaluate.js';
import { train } from './train.js';

const SHAPES = { table: [4], image: [12, 12, 1], sound: [16, 16, 1], words: [3, 4] } as const;
type Modality = keyof typeof SHAPES;

/** Eight samples of one modality and a table; in the fourth a number of the modality is none. */
function dataset(split: Split, modality: Modality, bad: number): MultimodalDataset<string> {
  const shape: readonly number[] = SHAPES[modality];
  const size = shape.reduce((product, axis) => product * axis, 1);
  const numbers = (index: number, length: number) =>
    Float32Array.from({ length }, (_, i) => Math.sin(index + i * i));
  return {
    name: 'toy',
    split,
    task: 'classification',
    modalities: [modality, 'columns'],
    shapes: { [modality]: shape, columns: [3] },
    classNames: ['a', 'b'],
    ids: Array.from({ length: 8 }, (_, i) => `s${i}`),
    size: 8,
    sample: (index) => {
      const values = numbers(index, size);
      if (index === 3) values[5 % size] = bad;
      const inputs = { [modality]: values, columns: numbers(index, 3) };
      return Promise.resolve({ id: `s${index}`, label: index % 2, inputs });
    },
    close: () => {},
  };
}

function modelOf(modality: Modality): MultimodalModel<string> {
  const name = modality;
  const encoders = {
    table: () => tabularMlp({ name, inputShape: [4], seed: 0 }),
    image: () => smallImageEncoder({ name, inputShape: [12, 12, 1], seed: 0 }),
    sound: () => smallAudioEncoder({ name, inputShape: [16, 16, 1], seed: 0 }),
    words: () => transformer({ name, inputShape: [3, 4], seed: 0, width: 8, heads: 2, layers: 1 }),
  };
  const encoder = encoders[modality]();
  const columns = tf.sequential({
    layers: [tf.layers.dense({ name: 'columns/dense', inputShape: [3], units: 2 })],
  });
  const widths = { [modality]: encoder.outputs[0]!.shape[1]!, columns: 2 };
  return new MultimodalModel<string>({
    encoders: { [modality]: encoder, columns },
    fusion: lateFusion<string>({ widths, classes: 2, seed: 0 }),
  });
}

for (const backend of ['tensorflow', 'wasm', 'cpu'] as const) {
  describe(`a number that is none in a sample, on ${backend}`, () => {
    beforeAll(async () => {
      await loadTensorFlow({ backend, quiet: true });
    });
    // Infinities may end in a saturated function, as they do in PyTorch.
    it.each(Object.keys(SHAPES) as Modality[])('stops an evaluation, and is named: %s', async (modality) => {
      const data = dataset('test', modality, NaN);
      const model = modelOf(modality);
      const where = `its ${modality} input holds NaN \\(position ${5 % model.inputShapes[modality]![0]!.slice(1).reduce((a, b) => a! * b!, 1)!}\\)`;
      const sentence = new RegExp(
        `The fused logits of sample "s3" are not finite \\(NaN, NaN\\)\\. ${where.replace('its', 'Its')}: repair the sample, or leave it out\\.`,
      );
      await expect(evaluate(inferenceOf(model), data)).rejects.toThrow(sentence);
      const frozen = model.freeze();
      await expect(evaluate((batch) => frozen.forward(batch), data)).rejects.toThrow(sentence);
      frozen.dispose();
    });
  });
}

describe('a number that is none in training', () => {
  it('stops it, with sample and modality', async () => {
    await loadTensorFlow({ backend: 'tensorflow', quiet: true });
    const data = dataset('train', 'table', -Infinity);
    const training = train({
      model: modelOf('table'),
      methods: [],
      epochs: 1,
      optimizer: { learningRate: 0.1 },
      batches: (epoch, startBatch) => batches(data, { batchSize: 4, epoch, startBatch }),
    });
    await expect(training).rejects.toThrow(
      /The loss is NaN .*in epoch 1, step 1, .* Sample "s3": its table input holds -Infinity \(position 1\)\. Repair it, or leave it out\.$/,
    );
  });

  it('of weights is told from one of inputs', async () => {
    const model = modelOf('table');
    const [weight] = model.variables;
    weight!.assign(tf.fill(weight!.shape, NaN));
    await expect(evaluate(inferenceOf(model), dataset('test', 'table', 1))).rejects.toThrow(
      /sample "s0" are not finite .* All its inputs are finite: the weights have diverged\. Lower the learning rate\.$/,
    );
  });
});
