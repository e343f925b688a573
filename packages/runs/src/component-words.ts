import { isComponent, type Kind } from '@g2d/core';
import type { RunComponents } from '@g2d/core/run-folder';

/** Name, label and summary of one component, as a run's folder has them. */
export type ComponentWords = NonNullable<RunComponents['dataset']>;

/** What a component says about itself; nothing, if it is a function of the user's without a definition. */
export function componentWords(made: unknown, kind: Kind): ComponentWords | undefined {
  if (!isComponent(made, kind)) return undefined;
  const { name, label, summary } = made;
  return { name, label, summary };
}
