import type { z } from 'zod';
import { component, FACTS, type Component, type Configurable, type Facts } from './component.js';
import type { Hooks, Method, Needs } from './method.js';
import { checkKeys } from './known-keys.js';
import { checkOptions, type OptionsPlace, type OptionsSchema } from './options.js';
import { recipeSchema, type Recipe } from './recipe.js';

/** A method as whoever has only its name knows it: configurations, help and tables. */
export interface AnyMethod extends Configurable {
  readonly kind: 'method';
  readonly needs?: Needs;
  /** Formula, cost and advice; a method of one's own may do without. */
  readonly recipe?: Recipe | undefined;
  /**
   * Makes the method from options that nobody has checked.
   *
   * @throws {OptionError} If an option is wrong; `place` says where it stands.
   */
  make<M extends string>(options: unknown, place?: OptionsPlace): Method<M>;
}

/** A method: call it with its options. */
export interface MethodDefinition<O extends OptionsSchema = OptionsSchema> extends AnyMethod {
  <M extends string>(...options: Arguments<O>): Method<M>;
  readonly options: O;
}

/** Options can be left out if each of them can. */
type Arguments<O extends OptionsSchema> =
  object extends z.input<O> ? [options?: z.input<O>] : [options: z.input<O>];

/**
 * Defines a method: this object is all that anybody has to know of it.
 *
 * @param definition `needs`: as in `Hooks`; where it depends on the options, what `create` gives as `needs` counts. `create`: the hooks,
 * from options that were checked and have their defaults. `recipe`: for help and tables.
 * @throws {OptionError} If the name is none, label or summary are missing, or something in the recipe is not as its type has it.
 * @example
 * const options = z.strictObject({ rate: z.number().min(0).max(1).default(0.3).describe('share of the steps without one modality') });
 * export const modalityDropout = defineMethod({
 *   name: 'modality-dropout',
 *   label: 'Modality dropout',
 *   summary: 'in some steps one modality is left out',
 *   needs: { modalities: { min: 2 } },
 *   options,
 *   create: <M extends string>({ rate }: z.output<typeof options>): Hooks<M> => ({
 *     forward(pass) {
 *       const { modalities } = pass.model;
 *       const random = pass.random('modality-dropout');
 *       if (!pass.training || random.uniform() >= rate) return pass.forward();
 *       const left = modalities[random.integer(modalities.length)];
 *       return pass.forward({ modalities: modalities.filter((modality) => modality !== left) });
 *     },
 *   }),
 * });
 * modalityDropout({ rate: 0.5 }); // a Method
 */
export function defineMethod<O extends OptionsSchema, R extends Recipe | undefined = undefined>(
  definition: Facts & {
    readonly needs?: Needs;
    readonly recipe?: R;
    readonly options: O;
    readonly create: <M extends string>(options: z.output<O>) => Hooks<M>;
  },
): MethodDefinition<O> & { readonly recipe: R } {
  const { needs, options, create, ...facts } = checkKeys(
    definition,
    { ...FACTS, needs: true, options: true, create: true, recipe: true },
    'defineMethod',
  );
  checkRecipe(facts);
  const own = needs && { needs };
  const make = <M extends string>(
    given: unknown = {},
    place: OptionsPlace | string = facts.name,
  ): Method<M> => ({
    ...own,
    ...create<M>(checkOptions(options, given, place)),
    name: facts.name,
  });
  return component(<M extends string>(...[given]: Arguments<O>) => make<M>(given), {
    kind: 'method' as const,
    ...facts,
    ...own,
    options,
    make,
  }) as MethodDefinition<O> & { readonly recipe: R };
}

function checkRecipe({ name, recipe }: Pick<AnyMethod, 'name' | 'recipe'>): void {
  if (recipe) checkOptions(recipeSchema(), recipe, { where: `the method ${name}`, prefix: 'recipe' });
}

/** Several methods under a name of their own. */
export interface StackDefinition extends Component {
  readonly kind: 'stack';
  readonly methods: readonly AnyMethod[];
  readonly recipe?: Recipe | undefined;
}

/**
 * Defines a name for several methods that are used together; their options stay theirs.
 *
 * @example
 * export const g2d = defineStack({
 *   name: 'g2d',
 *   label: 'G2D',
 *   summary: 'learns from the teachers, the least confident modality goes first',
 *   methods: [g2dLoss, smp],
 * });
 */
export function defineStack<R extends Recipe | undefined = undefined>(
  stack: Facts & Pick<StackDefinition, 'methods'> & { readonly recipe?: R },
): StackDefinition & { readonly recipe: R } {
  const facts = checkKeys(stack, { ...FACTS, methods: true, recipe: true }, 'defineStack');
  checkRecipe(facts);
  return component({}, { kind: 'stack', ...facts }) as StackDefinition & { readonly recipe: R };
}
