/** What one run answered on the test split. */
export interface Answers {
  /** Which samples these are, and what is true of them: two of another test split are not compared. */
  readonly split: string;
  /** Whether each sample's answer was right, in the order of the split. */
  readonly right: readonly boolean[];
}

/** One side of a claim: its scores by seed. */
export interface Arm {
  readonly label: string;
  readonly scores: ReadonlyMap<number, number>;
  /** By seed; absent where there are none: of a regression, for example. */
  readonly answers?: ReadonlyMap<number, Answers>;
}

/** The seeds that all sides have, in order. */
export function commonSeeds(arms: readonly Arm[]): number[] {
  const [first, ...others] = arms;
  return [...(first?.scores.keys() ?? [])]
    .filter((seed) => others.every(({ scores }) => scores.has(seed)))
    .sort((a, b) => a - b);
}

/** @param seed Of `commonSeeds`. */
export const scoreOf = ({ scores }: Arm, seed: number): number => scores.get(seed) as number;
