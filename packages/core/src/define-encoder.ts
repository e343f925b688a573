import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { z } from 'zod';
import { component, FACTS, type Configurable, type Facts } from './component.js';
import type { EncoderOptions, InputShape } from './encoder.js';
import { checkKeys } from './known-keys.js';
import { checkOptions, type OptionsPlace, type OptionsSchema, type OwnOptions } from './options.js';

/** An encoder as whoever has only its name knows it. */
export interface AnyEncoder extends Configurable {
  readonly kind: 'encoder';
  /**
   * Makes the encoder from options that nobody has checked.
   *
   * @throws {OptionError} If an option is wrong (`place` says where it stands), or the encoder is not for inputs of this shape.
   */
  make(spec: EncoderOptions, options: unknown, place?: OptionsPlace): LayersModel;
}

/** An encoder: call it with the modality, its shape, a seed, and its own options beside them. */
export interface EncoderDefinition<
  Shape extends InputShape = InputShape,
  O extends OptionsSchema = OptionsSchema,
> extends AnyEncoder {
  (options: EncoderOptions<Shape> & OwnOptions<O>): LayersModel;
  readonly options: O;
}

/**
 * Defines an encoder: this object is all that anybody has to know of it.
 *
 * @param definition `create`: a model from one sample of the modality to features `[B, D]`; it checks the shape.
 * @throws {OptionError} If the name is none, or label or summary are missing.
 * @example
 * const options = z.strictObject({ units: z.int().min(1).default(64).describe('width of the features') });
 * export const dense = defineEncoder({
 *   name: 'dense',
 *   label: 'Dense',
 *   summary: 'one dense layer on the flattened input',
 *   options,
 *   create({ name, inputShape, seed }: EncoderOptions, { units }) { … },
 * });
 * dense({ name: 'audio', inputShape: [40], seed: 0, units: 32 }); // a LayersModel
 */
export function defineEncoder<Shape extends InputShape, O extends OptionsSchema>(
  definition: Facts & {
    readonly options: O;
    readonly create: (spec: EncoderOptions<Shape>, options: z.output<O>) => LayersModel;
  },
): EncoderDefinition<Shape, O> {
  const { options, create, ...facts } = checkKeys(
    definition,
    { ...FACTS, options: true, create: true },
    'defineEncoder',
  );
  // Every encoder checks the shape that it is given.
  const make: AnyEncoder['make'] = (spec, given = {}, place) =>
    create(spec as EncoderOptions<Shape>, checkOptions(options, given, place ?? facts.name));
  const call = ({ name, inputShape, seed, ...own }: EncoderOptions<Shape> & OwnOptions<O>): LayersModel =>
    make({ name, inputShape, seed }, own);
  return component(call, { kind: 'encoder' as const, ...facts, options, make });
}
