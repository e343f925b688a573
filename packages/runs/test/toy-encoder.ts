// The toy encoder as one of the user's own: `"encoders": { "loud": { "type": "module", "path": … } }`.
import * as tf from '@tensorflow/tfjs';
import { initializeWeights } from '@g2d/encoders';

export default function make({
  name,
  inputShape,
  seed,
  units = 5,
  dropout = 0,
  named = true,
}: {
  readonly name: string;
  readonly inputShape: readonly number[];
  readonly seed: number;
  readonly units?: number;
  readonly dropout?: number;
  /** Whether its layers have names. */
  readonly named?: boolean;
}): tf.LayersModel {
  const inputs = tf.input({ shape: [...inputShape] });
  let outputs = tf.layers
    .dense({ ...(named && { name: `${name}/dense` }), units })
    .apply(inputs) as tf.SymbolicTensor;
  if (dropout > 0) {
    outputs = tf.layers
      .dropout({ name: `${name}/dropout`, rate: dropout })
      .apply(outputs) as tf.SymbolicTensor;
  }
  const encoder = tf.model({ name, inputs, outputs });
  initializeWeights(encoder, seed);
  return encoder;
}
