import { perModality, type Fusion, type FusionOptions } from '@g2d/core';
import { lateFusion } from '@g2d/fusion';
import { unequalWidths, type Matching } from './matching-loss.js';
import { projectFeatures } from './project-features.js';

/**
 * The late fusion of DLMG, for encoders of these widths.
 *
 * @param options `width`: to which a linear layer for each modality takes the features first.
 * @throws {OptionError} If features are compared that are not equally wide.
 */
export function matchedFusion<M extends string>(
  given: FusionOptions<M>,
  { form, width }: { readonly form: Matching['form']; readonly width: number | undefined },
): Fusion<M> {
  const { widths, seed } = given;
  const modalities = Object.keys(widths) as M[];
  const own = modalities.map((m) => widths[m]);
  if (width !== undefined) {
    const common = lateFusion({ ...given, widths: perModality(modalities, () => width) });
    return projectFeatures(common, { widths, seed });
  }
  if (form === 'contrastive' && own.some((each) => each !== own[0])) throw unequalWidths(modalities, own);
  return lateFusion(given);
}
