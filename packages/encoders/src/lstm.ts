import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { LayerVariable } from '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { accelerate } from '@g2d/accelerate';
import { defineEncoder, type EncoderOptions } from '@g2d/core';
import { deriveSeed, randomStream } from '@g2d/tensor-ops';
import { z } from 'zod';
import { assertInputShape } from './encoder.js';
import { maxOverTime, maskColumn } from './max-over-time.js';
import type { SequenceShape } from './transformer.js';

/**
 * A one-directional LSTM, and of its outputs the maximum over time: MMIN's encoder of sound and pictures.
 *
 * `[B, T, D]` → `[B, units]`; with `paddingMask` `[[B, T, D], [B, T]]` → `[B, units]`.
 *
 * The two biases of PyTorch's LSTM are kept apart, since an optimizer steps both: `<name>/input` is W_ih and b_ih, a dense layer on every step;
 * `<name>/lstm` is W_hh and b_hh, with an identity for a kernel, which is not trained. All begin uniform in ±1/√units, as PyTorch's.
 *
 * @param options `inputShape`: `[T, D]`; T may be `null`.
 * @throws {OptionError} If the shape has another form.
 * @example
 * const audio = lstm({ name: 'audio', inputShape: [null, 130], seed: 0, paddingMask: true });
 * @see Zhao et al., Missing Modality Imagination Network (ACL 2021); released code, `models/networks/lstm.py`
 */
export const lstm = defineEncoder({
  name: 'lstm',
  label: 'LSTM',
  summary: 'for sequences, the maximum over time of an LSTM: `[T, D]` → 128 features (`units`)',
  source: { paper: 'Zhao et al., ACL 2021', code: 'MMIN 69a45fe, models/networks/lstm.py' },
  options: z.strictObject({
    units: z.int().min(1).default(128).describe('width of the features'),
    paddingMask: z
      .boolean()
      .default(false)
      .describe(
        'a second input `[B, T]`, 1 for a real step and 0 for padding, over which no maximum is taken; every sample needs a real step. Without it padding takes part, as in the released code, and a feature depends on how long the longest of the batch is',
      ),
  }),
  create({ name, inputShape, seed }: EncoderOptions<SequenceShape>, { units, paddingMask }) {
    assertInputShape('lstm', inputShape, '[T, D]');
    const [time] = inputShape;
    const sequences = input({ shape: [...inputShape], name: `${name}/input-sequence` });
    const real = paddingMask ? input({ shape: [time], name: `${name}/mask` }) : undefined;
    const projected = layers
      .dense({ name: `${name}/input`, units: 4 * units })
      .apply(sequences) as SymbolicTensor;
    const recurrent = layers.lstm({
      name: `${name}/lstm`,
      units,
      kernelInitializer: 'identity',
      recurrentActivation: 'sigmoid',
      unitForgetBias: false,
      returnSequences: true,
    });
    const outputs = recurrent.apply(projected) as SymbolicTensor;
    const [kernel] = recurrent.weights as [LayerVariable];
    (kernel as unknown as { trainable: boolean }).trainable = false;
    const encoder = model({
      name,
      inputs: real ? [sequences, real] : sequences,
      outputs: maxOverTime(outputs, `${name}/max`, real && maskColumn(real, `${name}/mask`)),
    });
    for (const weight of encoder.trainableWeights) initialize(weight, 1 / Math.sqrt(units), seed);
    return accelerate(encoder);
  },
});

/** Uniform in ±bound, from a stream named after the weight. */
function initialize(weight: LayerVariable, bound: number, seed: number): void {
  const random = randomStream(deriveSeed(seed, `initialization/${weight.originalName}`));
  const shape = weight.shape as number[];
  const size = shape.reduce((product, axis) => product * axis, 1);
  const values = Float32Array.from({ length: size }, () => bound * (2 * random.uniform() - 1));
  tf.tidy(() => void weight.write(tf.tensor(values, shape)));
}
