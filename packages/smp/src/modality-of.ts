import { wrongOption } from './checks.js';

/**
 * The modality whose factor κ applies to a variable, by the variable's name; `undefined` for variables that are never
 * suppressed. Any function will do; `byPrefix` makes one that also knows its modalities and can explain itself.
 */
export interface ModalityOf<M extends string> {
  (variable: string): M | undefined;
  /** All modalities that it can answer with. Where they are given, nobody has to list them again. */
  readonly modalities?: readonly M[];
}

/**
 * Assigns variables to modalities by the beginning of their names.
 *
 * @param prefixes For each modality, what the names of its variables begin with. Name layers `audio/conv1`, and
 * TensorFlow.js calls the variable `audio/conv1/kernel`.
 * @throws {OptionError} If a prefix is empty, or one begins with another, so that a variable would have two modalities.
 * @example
 * byPrefix({ audio: 'audio/', video: 'video/' })('audio/conv1/kernel'); // 'audio'
 */
export function byPrefix<M extends string>(prefixes: Readonly<Record<M, string>>): ModalityOf<M> {
  const entries = Object.entries(prefixes) as [M, string][];
  for (const [modality, prefix] of entries) {
    if (!prefix || entries.some(([name, start]) => name !== modality && prefix.startsWith(start)))
      throw wrongOption(`prefixes.${modality}`, prefix, 'a beginning of its own');
  }
  const modalityOf = (variable: string): M | undefined =>
    entries.find(([, prefix]) => variable.startsWith(prefix))?.[0];
  return Object.assign(modalityOf, { modalities: Object.keys(prefixes) as M[] });
}

/** A layer, or a whole model, of TensorFlow.js, as far as it matters whose its variables are. */
export interface WithWeights {
  readonly weights: readonly { readonly name: string }[];
}

/**
 * Assigns variables to modalities by the layers or sub-models that have them, whatever they are called.
 *
 * @param layers For each modality its encoder, or its layers. They are looked at when the first variable is asked for, and must have been
 * built by then: be a part of a model. What two modalities have is shared.
 * @example
 * byLayers({ audio: audioEncoder, video: [videoConv, videoDense] });
 */
export function byLayers<M extends string>(
  layers: Readonly<Record<M, WithWeights | readonly WithWeights[]>>,
): ModalityOf<M> {
  const modalities = Object.keys(layers) as M[];
  let owners: Map<string, M | undefined> | undefined;
  const modalityOf = (variable: string): M | undefined => {
    if (!owners) {
      const found = new Map<string, M | undefined>();
      for (const modality of modalities) {
        for (const { name } of [layers[modality]].flat().flatMap(({ weights }) => weights)) {
          found.set(name, found.has(name) && found.get(name) !== modality ? undefined : modality);
        }
      }
      // Not before it is whole: a layer that is not built yet throws.
      owners = found;
    }
    return owners.get(variable);
  };
  return Object.assign(modalityOf, { modalities });
}
