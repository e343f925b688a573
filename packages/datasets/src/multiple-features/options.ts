import { OptionError, type Split } from '@g2d/core';
import { z } from 'zod';
import { FACTS, VIEWS, type View } from './views.js';

/** Options of `multipleFeatures`. */
export const multipleFeaturesOptions = z.strictObject({
  root: z.string().describe('the folder of the six files: `data/multiple-features` in the repository'),
  views: z
    .array(z.enum(VIEWS))
    .min(1)
    .optional()
    .describe(
      'which of the six descriptions, as modalities in this order. Default: all, but for the one that `target` names',
    ),
  pix: z
    .enum(['picture', 'vector'])
    .default('picture')
    .describe('`pix` as `[16, 15, 1]` with one mean and deviation, or as `[240]` with those of each pixel'),
  target: z
    .union([
      z.literal('class'),
      z.strictObject({
        view: z.enum(VIEWS).describe('a view that is not among `views`'),
        column: z.int().min(0).describe('its column, from 0, as the first line of the file names it'),
      }),
    ])
    .default('class')
    .describe(
      "what is predicted: the numeral, or one column of a view, scaled from the least and the greatest of all 2,000 rows to 0.1 and 0.9; a regression. `{ view: 'mor', column: 4 }`",
    ),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(0)
    .describe('of the split: 120 / 30 / 50 numerals of each class, at random'),
});

/** Settings of `multipleFeatures`. */
export type MultipleFeaturesOptions = z.input<typeof multipleFeaturesOptions> & { readonly split: Split };

/**
 * The views that are the modalities.
 *
 * @throws {OptionError} If one comes twice, or holds the target, or the target's column is not there.
 */
export function chosenViews({ views, target }: z.output<typeof multipleFeaturesOptions>): readonly View[] {
  if (target !== 'class' && target.column >= FACTS[target.view].columns) {
    const last = FACTS[target.view].columns - 1;
    throw new OptionError(
      `\`target.column\` is ${target.column}; ${target.view} has the columns 0 to ${last}.`,
      { option: 'target.column', value: target.column, accepted: `0 to ${last}` },
    );
  }
  if (!views) return VIEWS.filter((view) => target === 'class' || view !== target.view);
  const twice = views.find((view, i) => views.indexOf(view) !== i);
  if (twice !== undefined) {
    throw new OptionError(`\`views\` names ${twice} twice; each can be one modality.`, {
      option: 'views',
      value: views,
      accepted: 'distinct views',
    });
  }
  if (target !== 'class' && views.includes(target.view)) {
    throw new OptionError(
      `\`views\` has ${target.view}, a column of which is the target: the network would read what it is to predict. Leave ${target.view} out.`,
      { option: 'views', value: views, accepted: `views without ${target.view}` },
    );
  }
  return views;
}
