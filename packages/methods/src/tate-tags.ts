import { OptionError, type FusionPass, type PerModality } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';

/** Of each sample: 1 where nothing is missing, then 1 for each modality that is, `[B, k + 1]`. */
export function tagsOf<M extends string>(
  modalities: readonly M[],
  {
    samples,
    pass: { present, zeroed },
    constantTag,
  }: {
    readonly samples: number;
    readonly pass: FusionPass<M>;
    /** Modalities that are called missing, whatever is. */
    readonly constantTag: readonly string[] | undefined;
  },
): tf.Tensor2D {
  const missing = modalities.map((m) => {
    if (constantTag) return constantTag.includes(m) ? tf.ones([samples]) : tf.zeros([samples]);
    const masks = [present?.[m], zeroed?.[m]].flatMap((mask) => mask ?? []);
    if (masks.length === 0) return tf.zeros([samples]);
    return tf.cast(
      masks.map((mask) => tf.lessEqual(mask, 0)).reduce((a, b) => tf.logicalOr(a, b)),
      'float32',
    );
  });
  const nothing = tf.cast(tf.equal(tf.addN(missing), 0), 'float32');
  return tf.stack([nothing, ...missing], 1) as tf.Tensor2D;
}

/** @throws {OptionError} If features are no whole number of steps, or widths do not go together with the number of modalities or heads. */
export function assertSizes<M extends string>(
  widths: PerModality<M, number>,
  {
    width,
    heads,
    constantTag = [],
  }: { readonly width: number; readonly heads: number; readonly constantTag: readonly string[] | undefined },
): void {
  const modalities = Object.keys(widths) as M[];
  const refuse = (message: string, option: string, value: unknown, accepted: string): never => {
    throw new OptionError(message, { option, value, accepted });
  };
  const others = modalities.length - 1;
  if (width % heads !== 0)
    refuse(
      `\`heads\` of TATE is ${heads} and \`width\` is ${width}: every head gets an equal share. Choose a divisor of ${width}.`,
      'heads',
      heads,
      `a divisor of ${width}`,
    );
  if (width % others !== 0)
    refuse(
      `\`width\` of TATE is ${width}, but each of ${modalities.length} modalities has an equal share of it in common with each of the others. Choose a multiple of ${others}.`,
      'width',
      width,
      `a multiple of ${others}`,
    );
  const odd = modalities.find((m) => widths[m] % width !== 0);
  if (odd !== undefined)
    refuse(
      `The features of ${odd} are ${widths[odd]} wide, which is no whole number of steps of \`width\` ${width}. Take encoders of the type "tate" with this \`width\`, and give the method the same.`,
      'width',
      widths[odd],
      `a multiple of ${width}`,
    );
  const unknown = constantTag.find((name) => !(modalities as readonly string[]).includes(name));
  if (unknown !== undefined)
    refuse(
      `\`constantTag\` of TATE names "${unknown}", which is no modality; there are ${modalities.join(', ')}.`,
      'constantTag',
      unknown,
      modalities.join(', '),
    );
}
