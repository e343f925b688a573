import { isComponent, OptionError, type Component, type Kind } from '@g2d/core';
import { importDefault, isModulePath, moduleFile } from '@g2d/runs/internal';

/** Components of one sort. */
export interface ComponentList<C extends Component> {
  /** In a sentence: `method`, `dataset`. */
  readonly noun: string;
  /** What a module's default export can be. */
  readonly kinds: readonly Kind[];
  readonly components: readonly C[];
  /** A component of a module's default export that is no definition. Default: there is none. */
  readonly other?: (exported: unknown, path: string) => C | undefined;
}

/**
 * A component by its name, or a user's own by the path of its module or the name of an installed package.
 *
 * @throws {OptionError} If there is none.
 * @throws {G2DError} With code `G2D_MODULE` if the module cannot be loaded.
 */
export async function findComponent<C extends Component>(
  name: string | undefined,
  { noun, kinds, components, other }: ComponentList<C>,
): Promise<C> {
  const known = components.find((component) => component.name === name);
  if (known) return known;
  const accepted = components.map((component) => component.name).join(', ');
  const fail = (sentence: string): OptionError =>
    new OptionError(sentence, { option: noun, value: name, accepted });
  if (name === undefined) throw fail(`No ${noun} is named. It can be ${accepted}.`);
  if (!isModulePath(name) && moduleFile(name) === undefined) {
    throw fail(`There is no ${noun} "${name}"; it can be ${accepted}, or the path of a module of your own.`);
  }
  const exported = await importDefault(name, `the ${noun}`);
  if (kinds.some((kind) => isComponent(exported, kind))) return exported as C;
  const made = other?.(exported, name);
  if (made) return made;
  throw fail(
    `The default export of ${name} is no definition of a ${noun}; @g2d/core says how one is defined.`,
  );
}
