import { readFileSync } from 'node:fs';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { OptionError, shown, checkKeys } from '@g2d/core';
import { decodeCheckpoint, type Checkpoint, type CheckpointTensor } from '../torch/decode-checkpoint.js';
import { matchCheckpoint, type Channels, type Saying } from '../torch/match-checkpoint.js';
import { torchParameters } from '../torch/torch-parameters.js';

/** How a checkpoint is read. */
export interface ImportTorchOptions {
  /**
   * What stands before the encoder's names in the checkpoint, for example `'audio_net.'`. Default: found by itself, if
   * exactly one fits.
   */
  readonly prefix?: string;
  /**
   * For a model of one input channel and a checkpoint of more, such as spectrograms and weights that were trained on colour
   * pictures: the first kernel's channels are added (`'sum'`, as timm does it: for a grey picture the features stay the
   * same), or averaged (`'mean'`). Default: that is an error.
   */
  readonly channels?: 'sum' | 'mean';
  /** Where a user gives file, prefix and channels, if not here: a key of a configuration, that errors will name. */
  readonly option?: string;
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
 * @throws {FileFormatError} If the file is truncated, damaged, of another format, or asks Python to run something, or if a
 * tensor that the model needs is of a kind that cannot be read (sparse, quantized, complex).
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
  const { prefix, channels, option } = checkKeys(
    options,
    { prefix: true, channels: true, option: true },
    'importTorch',
  );
  if (channels !== undefined && channels !== 'sum' && channels !== 'mean') {
    throw new OptionError(`\`channels\` is ${shown(channels)}; it must be 'sum' or 'mean'.`, {
      option: 'channels',
      value: channels,
      accepted: "'sum', 'mean'",
    });
  }
  const parameters = torchParameters(model);
  const { format, tensors } = decodeCheckpoint(readFile(file), file);
  const { prefix: found, pairs } = matchCheckpoint({
    parameters,
    tensors,
    path: file,
    model: model.name,
    prefix,
    channels,
    say: (options) =>
      option === undefined ? inCode(options) : `"${option}": ${JSON.stringify({ path: file, ...options })}`,
  });
  const values = pairs.map(({ tensor, channels: way }) =>
    way === undefined ? tensor.values() : ofOneChannel(tensor, way),
  );
  pairs.forEach(({ parameter }, i) => parameter.write(values[i] as Float32Array));

  const loaded = pairs.map(({ name }) => name);
  const used = new Set(loaded);
  return { format, prefix: found, loaded, unused: [...tensors.keys()].filter((name) => !used.has(name)) };
}

const inCode: Saying = (options) =>
  `{ ${Object.entries(options)
    .map(([key, value]) => `${key}: '${value}'`)
    .join(', ')} }`;

/** A kernel `[out, in, …window]` as `[out, 1, …window]`. */
function ofOneChannel(tensor: CheckpointTensor, way: Channels): Float32Array {
  const [outputs = 0, inputs = 0, ...window] = tensor.shape;
  const size = window.reduce((product, axis) => product * axis, 1);
  const from = tensor.values();
  const scale = way === 'sum' ? 1 : 1 / inputs;
  return Float32Array.from({ length: outputs * size }, (_, i) => {
    const start = Math.floor(i / size) * inputs * size + (i % size);
    let sum = 0;
    for (let channel = 0; channel < inputs; channel++) sum += from[start + channel * size] as number;
    return scale * sum;
  });
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
