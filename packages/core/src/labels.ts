import type { Label, Task } from './dataset.js';
import { shown } from './shown.js';

/** A task as a noun: `a classification`, `a multi-label task`. */
export const taskWords = (task: Task): string => (task === 'multi-label' ? 'multi-label task' : task);

/** More classes than these are not listed. */
const MOST_NAMED = 8;

/**
 * What is wrong with a label, in words that follow the sample's name; `undefined` if nothing is.
 *
 * @param data `classNames`: by class id; empty for a regression.
 * @example
 * labelProblem(7, { task: 'classification', classNames: ['a', 'b'] }); // has the label 7; it must be a class id, 0 to 1 (a, b).
 */
export function labelProblem(
  label: unknown,
  { task, classNames }: { readonly task: Task; readonly classNames: readonly string[] },
): string | undefined {
  if (task === 'regression') {
    return Number.isFinite(label) ? undefined : `has the target ${shown(label)}; it must be a finite number.`;
  }
  const more = classNames.length > MOST_NAMED ? ', …' : '';
  const ids = `0 to ${classNames.length - 1} (${classNames.slice(0, MOST_NAMED).join(', ')}${more})`;
  const isClass = (id: unknown): boolean =>
    Number.isInteger(id) && (id as number) >= 0 && (id as number) < classNames.length;
  if (task === 'classification') {
    if (isClass(label)) return undefined;
    const set = Array.isArray(label) ? " For several classes of one sample the task is 'multi-label'." : '';
    return `has the label ${shown(label)}; it must be a class id, ${ids}.${set}`;
  }
  if (!Array.isArray(label)) {
    return `has the label ${shown(label)}; a multi-label sample has a list of class ids, [] if it has no class.`;
  }
  const wrong = label.findIndex((id) => !isClass(id));
  if (wrong !== -1) {
    return `has the class ${shown(label[wrong])} in its label ${shown(label)}; class ids are ${ids}.`;
  }
  const twice: unknown = label.find((id, i) => label.indexOf(id) !== i);
  return twice === undefined
    ? undefined
    : `has the class ${shown(twice)} twice in its label ${shown(label)}; each id stands there once.`;
}

/** Whether two labels are the same: the order of the classes of a sample says nothing. */
export const isSameLabel = (one: Label, other: Label): boolean =>
  typeof one === 'number' || typeof other === 'number'
    ? one === other
    : one.length === other.length && one.every((id) => other.includes(id));
