import type { Configurable } from '@g2d/core';
import { z } from 'zod';

/** What a configuration says of a component: its name at `K`, and beside it its own options, or for a user's own component its module. */
export type ComponentConfig<K extends 'name' | 'type'> = Readonly<Record<K, string>> & {
  /** Of the module of `"module"`. */
  readonly path?: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly [option: string]: unknown;
};

/**
 * The components of a list by their names, each with the options that it defines, and `"module"` for one of the user's own.
 *
 * @param own What a module's default export is, for the description of `path`.
 * @param beside What every form has beside the component's own options.
 */
export function componentSchema<
  K extends 'name' | 'type',
  B extends Readonly<Record<string, z.ZodType>> = Readonly<Record<never, z.ZodType>>,
>(
  key: K,
  components: readonly Configurable[],
  own: string,
  beside?: B,
): z.ZodType<ComponentConfig<K> & { readonly [N in keyof B]?: z.output<B[N]> }> {
  const forms = components.map(({ name, label, summary, options }) =>
    z.strictObject({ [key]: z.literal(name), ...options.shape, ...beside }).describe(`${label}: ${summary}.`),
  );
  const module = z
    .strictObject({
      [key]: z.literal('module'),
      path: z
        .string()
        .describe(`Of a module, or the name of an installed package, whose default export is ${own}.`),
      options: z.record(z.string(), z.unknown()).optional(),
      ...beside,
    })
    .describe('One of your own.');
  type Form = typeof module;
  return z.discriminatedUnion(key, [module, ...(forms as unknown as Form[])]) as never;
}
