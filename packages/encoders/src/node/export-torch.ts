import type { LayersModel } from '@tensorflow/tfjs-layers';
import { encodeSafetensors } from '@g2d/formats';
import { writeFileAtomic } from '@g2d/formats/node';
import { checkKeys, OptionError } from '@g2d/core';
import { torchParameters } from '../torch/torch-parameters.js';

/** How a checkpoint is written. */
export interface ExportTorchOptions {
  /**
   * What stands before the encoder's names. Default: `'net.'` for an encoder with a classifier, as in the reference's
   * teachers, else nothing. The classifier's own name gets the prefix without its last part.
   */
  readonly prefix?: string;
}

/**
 * Writes a model's weights and running statistics as a `.safetensors` file that PyTorch loads with `strict=True`.
 *
 * The counters `num_batches_tracked` are left out: PyTorch's batch normalization adds them to a `state_dict` without
 * version numbers. The file is replaced at once or not at all.
 *
 * @param model Encoders, or encoders with a classifier, or any model whose layers are named after PyTorch's modules.
 * @param file Where to; missing folders are made.
 * @throws {OptionError} If the name does not end in `.safetensors`, or a layer has no counterpart in PyTorch.
 * @example
 * exportTorch(encoder, 'audio.safetensors');
 * // PyTorch: net.load_state_dict(safetensors.torch.load_file('audio.safetensors'))
 */
export function exportTorch(model: LayersModel, file: string, options: ExportTorchOptions = {}): void {
  const { prefix } = checkKeys(options, { prefix: true }, 'exportTorch');
  if (!file.endsWith('.safetensors')) {
    throw new OptionError(`${file} does not end in .safetensors, the only format that is written.`, {
      option: 'file',
      value: file,
      accepted: 'a name that ends in .safetensors',
    });
  }
  if (prefix && !prefix.endsWith('.')) {
    throw new OptionError(`\`prefix\` is "${prefix}", which would run into the names; end it with a dot.`, {
      option: 'prefix',
      value: prefix,
      accepted: `"${prefix}."`,
    });
  }
  const parameters = torchParameters(model);
  const hasHead = parameters.some(({ isHead }) => isHead);
  const before = prefix ?? (hasHead ? 'net.' : '');
  const arrays = parameters.map(
    (parameter) =>
      [
        (parameter.isHead ? before.replace(/[^.]*\.$/, '') : before) + parameter.name,
        parameter.read(),
      ] as const,
  );
  // Libraries on top of PyTorch look for the format.
  writeFileAtomic(file, encodeSafetensors(Object.fromEntries(arrays), { format: 'pt' }));
}
