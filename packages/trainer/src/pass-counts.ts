import type { PassCounts, PassMode } from '@g2d/core';

type Counts = Record<string, number>;

/** Counts the passes of a training through encoders and teachers. */
export class PassCounter {
  #counts: PassCounts = NO_PASSES;

  add(direction: keyof PassCounts, modalities: readonly string[], by = 1): void {
    if (modalities.length === 0) return;
    const counts: Counts = { ...this.#counts[direction] };
    for (const modality of modalities) counts[modality] = (counts[modality] ?? 0) + by;
    this.#counts = { ...this.#counts, [direction]: counts };
  }

  /** What was counted since it was last asked. */
  take(): PassCounts {
    const counts = this.#counts;
    this.#counts = NO_PASSES;
    return counts;
  }
}

export const NO_PASSES: PassCounts = { forward: {}, backward: {} };

/** The sum of two counts. */
export function addPasses(before: PassCounts, more: PassCounts): PassCounts {
  const all = new PassCounter();
  for (const counts of [before, more])
    for (const [direction, own] of Object.entries(counts) as [keyof PassCounts, Counts][])
      for (const [modality, by] of Object.entries(own)) all.add(direction, [modality], by);
  return all.take();
}

/** Whether the features of a modality are differentiated in a pass that runs like this. */
export const isDifferentiated = <M extends string>(
  { gradients = true }: PassMode<M>,
  modality: M,
): boolean => (typeof gradients === 'boolean' ? gradients : gradients[modality]);
