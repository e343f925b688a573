/** Shape of one sample; `null` for a first axis of free length. */
export type SampleShape = readonly (number | null)[];

/** Whether samples of this shape differ in length. */
export const hasFreeLength = (shape: SampleShape): boolean => shape[0] === null;

/** How many numbers one sample has; with a free length, one step of it. */
export const unitLength = (shape: SampleShape): number =>
  shape.reduce<number>((product, axis) => product * (axis ?? 1), 1);

/** A shape for a message: `[any, 300]`. */
export const written = (shape: SampleShape): string => `[${shape.map((axis) => axis ?? 'any').join(', ')}]`;
