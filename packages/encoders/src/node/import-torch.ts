import { readFileSync } from 'node:fs';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checkKeys, OptionError } from '@g2d/core';
import { decodeCheckpoint, type Checkpoint } from '../torch/decode-checkpoint.js';
import { matchCheckpoint } from '../torch/match-checkpoint.js';
import { torchParameters } from '../torch/torch-parameters.js';

/** How a checkpoint is read. */
export interface ImportTorchOptions {
  /**
   * What stands before the encoder's names in the checkpoint, for example `'audio_net.'`. Default: found by itself, if
   * exactly one fits.
   */
  readonly prefix?: string;
}

/** What was found in a checkpoint. */
export interface ImportedCheckpoint {
  readonly format: Checkpoint['format'];
  /** What stood before the encoder's names. */
  readonly prefix: string;
  /** Names of the tensors that the model got, in the order of its variables. */
  readonly loaded: readonly string[];
  /** Names of the others: classifiers, other encoders, `num_batches_tracked`, optimizer state. */
  readonly unused: readonly string[];
}

/**
 * Gives a model the weights of a PyTorch checkpoint.
 *
 * Reads `.pth` files of `torch.save`, old and new, and `.safetensors`, told apart by their content. Nothing in a file is
 * executed. The checkpoint may be a `state_dict`, or dictionaries around one; names may have a prefix (`module.` of
 * `DataParallel`, `net.`, `audio_net.`). Layers are matched by name: `<model>/layer1/0/conv1` is `layer1.0.conv1`. Other
 * types than float32 are converted.
 *
 * Everything is checked before the first variable is set: after an error the model is as it was.
 *
 * @param file Path of the checkpoint.
 * @param model Its variables are set; optimizers and anything else that holds them stay valid. Encoders, or encoders
 * with a classifier, or any model whose layers are named after PyTorch's modules.
 * @returns What was loaded, and what was not.
 * @throws {FileFormatError} If the file is truncated, damaged, of another format, or asks Python to run something.
 * @throws {OptionError} If the file cannot be read, a tensor is missing, the file is of a larger network, or several
 * networks in it fit.
 * @throws {ShapeError} If a tensor has another shape than the variable.
 * @example
 * importTorch('resnet18-f37072fd.pth', resnet18({ name: 'image', inputShape: [224, 224, 3], seed: 0 }));
 */
export function importTorch(
  file: string,
  model: LayersModel,
  options: ImportTorchOptions = {},
): ImportedCheckpoint {
  const { prefix } = checkKeys(options, { prefix: true }, 'importTorch');
  const parameters = torchParameters(model);
  const { format, tensors } = decodeCheckpoint(readFile(file), file);
  const { prefix: found, pairs } = matchCheckpoint({
    parameters,
    tensors,
    path: file,
    model: model.name,
    prefix,
  });
  const values = pairs.map(({ tensor }) => tensor.values());
  pairs.forEach(({ parameter }, i) => parameter.write(values[i] as Float32Array));

  const loaded = pairs.map(({ name }) => name);
  const used = new Set(loaded);
  return { format, prefix: found, loaded, unused: [...tensors.keys()].filter((name) => !used.has(name)) };
}

function readFile(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new OptionError(`${file} cannot be read (${(error as Error).message}).`, {
      option: 'file',
      value: file,
      accepted: 'a checkpoint of at most 2 GiB',
    });
  }
}
