import type { z } from 'zod';
import { component, FACTS, type Configurable, type Facts } from './component.js';
import type { Fusion, FusionOptions } from './fusion.js';
import { checkKeys } from './known-keys.js';
import { checkOptions, type OptionsPlace, type OptionsSchema, type OwnOptions } from './options.js';

/** A fusion as whoever has only its name knows it. */
export interface AnyFusion extends Configurable {
  readonly kind: 'fusion';
  /** How many modalities. Default: one or more. */
  readonly modalities?: { readonly min?: number; readonly max?: number };
  /**
   * Makes the fusion from options that nobody has checked.
   *
   * @throws {OptionError} If an option is wrong; `place` says where it stands.
   */
  make<M extends string>(spec: FusionOptions<M>, options: unknown, place?: OptionsPlace): Fusion<M>;
}

/** A fusion: call it with widths, classes, a seed, and its own options beside them. */
export interface FusionDefinition<O extends OptionsSchema = OptionsSchema> extends AnyFusion {
  <const M extends string>(options: FusionOptions<M> & OwnOptions<O>): Fusion<M>;
  readonly options: O;
}

/**
 * Defines a fusion: this object is all that anybody has to know of it.
 *
 * @throws {OptionError} If the name is none, or label or summary are missing.
 * @example
 * export const lateFusion = defineFusion({
 *   name: 'late',
 *   label: 'Late',
 *   summary: 'a linear head for each modality, logits averaged',
 *   options: z.strictObject({}),
 *   create: (spec) => { … },
 * });
 * lateFusion({ widths: { audio: 64, image: 32 }, classes: 10, seed: 0 }); // a Fusion
 */
export function defineFusion<O extends OptionsSchema>(
  definition: Facts &
    Pick<AnyFusion, 'modalities'> & {
      readonly options: O;
      readonly create: <M extends string>(spec: FusionOptions<M>, options: z.output<O>) => Fusion<M>;
    },
): FusionDefinition<O> {
  const { modalities, options, create, ...facts } = checkKeys(
    definition,
    { ...FACTS, modalities: true, options: true, create: true },
    'defineFusion',
  );
  const make: AnyFusion['make'] = (spec, given = {}, place) =>
    create(spec, checkOptions(options, given, place ?? facts.name));
  const call = <const M extends string>({
    widths,
    classes,
    seed,
    inputShapes,
    ...own
  }: FusionOptions<M> & OwnOptions<O>): Fusion<M> =>
    make(
      {
        widths,
        classes,
        seed,
        ...(inputShapes !== undefined && { inputShapes }),
      },
      own,
    );
  return component(call, {
    kind: 'fusion' as const,
    ...facts,
    ...(modalities && { modalities }),
    options,
    make,
  });
}
