import * as tf from '@tensorflow/tfjs-core';
import { importTorch } from '@g2d/encoders/node';
import { OptionError, ShapeError } from '@g2d/core';
import { isFolder, isThere } from '@g2d/formats/node';
import { RunFolder } from './node/run-folder.js';
import type { BuiltModel } from './build-model.js';
import type { RunConfig } from './config-schema.js';
import { defined } from './defined.js';

/**
 * Gives encoders the weights that their configurations name: a PyTorch checkpoint, or a run's encoder of the same modality.
 *
 * @throws {OptionError} If there is no such file or run, or it is of another network.
 * @throws {ShapeError} If a variable has another shape.
 */
export function loadInitialWeights({ model, encoders }: BuiltModel, config: RunConfig): void {
  const names = new Map([...model.state()].map(([name, weight]) => [weight, name]));
  for (const [modality, encoder] of Object.entries(encoders)) {
    const { weights } = config.encoders[modality] ?? {};
    if (weights === undefined) continue;
    const { path, ...how } = typeof weights === 'string' ? { path: weights } : weights;
    const option = `encoders.${modality}.weights`;
    if (!isThere(path)) {
      throw new OptionError(`"${option}" is ${path}, and there is no such file or run folder.`, {
        option,
        value: path,
        accepted: 'a PyTorch checkpoint or a run folder',
      });
    }
    if (!isFolder(path)) {
      importTorch(path, encoder, { ...defined(how), option });
      continue;
    }
    const [other] = Object.keys(how);
    if (other !== undefined) {
      throw new OptionError(
        `"${option}.${other}" is for PyTorch checkpoints, but ${path} is a run folder: its encoder of ${modality} is taken as it is. Leave "${other}" out.`,
        { option: `${option}.${other}`, value: other, accepted: 'nothing, for a run folder' },
      );
    }
    const saved = new RunFolder(path).weights();
    for (const weight of encoder.layers.flatMap(({ weights }) => weights)) {
      const name = names.get(weight) as string;
      const array = saved[name];
      if (!array) {
        throw new OptionError(
          `The run ${path} has no weights "${name}": its encoder of ${modality} is another network, or missing.`,
          { option, value: path, accepted: `a run with the same encoder of ${modality}` },
        );
      }
      if (array.shape.join() !== weight.shape.join()) {
        const expected = `[${weight.shape.join(', ')}]`;
        throw new ShapeError({ argument: name, expected, actual: array.shape });
      }
      tf.tidy(() => {
        weight.write(tf.tensor(array.values, [...array.shape]));
      });
    }
  }
}
