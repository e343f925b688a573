import type { Label, MultimodalDataset } from '@g2d/core';

/** A label as people read it, and what it is. */
export function labelWords(
  label: Label,
  { task, classNames }: Pick<MultimodalDataset<string>, 'task' | 'classNames'>,
): { readonly labelKind: 'class' | 'classes' | 'target'; readonly label: string } {
  if (typeof label !== 'number') {
    const names = label.map((id) => classNames[id] as string);
    return { labelKind: 'classes', label: names.join(', ') || 'none' };
  }
  if (task === 'regression') return { labelKind: 'target', label: String(label) };
  return { labelKind: 'class', label: classNames[label] as string };
}
