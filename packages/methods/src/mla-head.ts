import { OptionError, type Fusion, type FusionOptions, type Model } from '@g2d/core';
import type * as tf from '@tensorflow/tfjs-core';
import { projectFeatures } from './project-features.js';
import { sharedHeadFusion } from './shared-head.js';
import type { SharedHeadWeights } from './shared-head-weights.js';

/** The fusion that MLA needs, for encoders of these widths. */
export function mlaFusion<M extends string>(
  { weights, width }: { readonly weights: SharedHeadWeights<string>; readonly width?: number | undefined },
  { widths, classes, seed }: FusionOptions<M>,
): Fusion<M> {
  const modalities = Object.keys(widths) as M[];
  const given = modalities.map((modality) => widths[modality]);
  const common = width ?? given[0];
  if (common === undefined || (width === undefined && given.some((each) => each !== common))) {
    const found = modalities.map((modality) => `${modality} ${widths[modality]}`).join(', ');
    throw new OptionError(
      `MLA's head is shared, but the features are not equally wide: ${found}. Give \`width\`, to which a linear layer for each modality then takes them.`,
      { option: 'width', value: width, accepted: 'a width for all modalities' },
    );
  }
  const shared = sharedHeadFusion({
    modalities,
    width: common,
    classes,
    seed,
    weights: weights as SharedHeadWeights<M>,
  });
  return width === undefined ? shared : projectFeatures(shared, { widths, seed });
}

/** The kernel of the head that all modalities share. */
export function sharedKernel<M extends string>({ parameters }: Model<M>): tf.Variable {
  const shared = parameters.filter(({ role }) => role === 'shared');
  const [kernel, ...more] = shared.filter(({ variable }) => variable.rank === 2);
  if (!kernel || more.length > 0 || shared.length !== 2) throw notShared(shared.map(({ name }) => name));
  return kernel.variable;
}

export const notShared = (found: readonly string[]): OptionError =>
  new OptionError(
    'MLA needs one head that all modalities share, and the model has others. Build its fusion with `sharedHeadFusion`.',
    { option: 'model', value: found, accepted: 'sharedHeadFusion' },
  );
