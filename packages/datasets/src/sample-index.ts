import { OptionError } from '@g2d/core';
import type { Split } from '@g2d/core';

/** @throws {OptionError} Unless `index` is one of a split's samples. */
export function assertSampleIndex(
  index: number,
  { split, size }: { readonly split: Split; readonly size: number },
): void {
  if (Number.isInteger(index) && index >= 0 && index < size) return;
  throw new OptionError(`There is no sample ${index} in the ${split} split of ${size}.`, {
    option: 'index',
    value: index,
    accepted: `0 to ${size - 1}`,
  });
}
