import { perModality, type PerModality, type Fusion, type FusionOptions } from '@g2d/core';
import { linear, type Linear } from './linear.js';
import { checkedModalities } from './options.js';

/** A fusion that consists of a linear head for each modality, called `head/<modality>`, but for its formula. */
interface LinearHeads<M extends string> extends Pick<Fusion<M>, 'modalities' | 'widths' | 'layers'> {
  readonly heads: PerModality<M, Linear>;
}

/** @throws {OptionError} If there is no modality, or a size is not a positive integer. */
export function linearHeads<M extends string>(options: FusionOptions<M>): LinearHeads<M> {
  const { widths, classes, seed } = options;
  const modalities = checkedModalities(options);
  const heads = perModality(modalities, (modality) =>
    linear(`head/${modality}`, { width: widths[modality], units: classes, seed }),
  );
  const layers = modalities.map((modality) => ({ layer: heads[modality].layer, modality }));
  return { modalities, widths, layers, heads };
}
