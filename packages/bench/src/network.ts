/** What a step of several processes asks of the network between them. */
export interface StepNetworkUse {
  /** Collective operations of a step. */
  readonly sums: number;
  /** What each process sends, and receives, in a step, in MB of 10⁶ bytes: 2 (P − 1) / P times the numbers that are added up. */
  readonly megabytes: number;
  /** The network that carries that in a tenth of the step, in Gbit/s: for 0.9 of linear. */
  readonly gigabits: number;
}

/**
 * @param step `bytes`: of the numbers that are added up. `milliseconds`: of the whole step.
 */
export function networkOf({
  processes,
  sums,
  bytes,
  milliseconds,
}: {
  readonly processes: number;
  readonly sums: number;
  readonly bytes: number;
  readonly milliseconds: number;
}): StepNetworkUse {
  const sent = ((2 * (processes - 1)) / processes) * bytes;
  const seconds = milliseconds / 1000;
  return {
    sums,
    megabytes: round(sent / 1e6),
    gigabits: round((8 * sent) / 1e9 / (0.1 * seconds)),
  };
}

const round = (value: number): number => Math.round(100 * value) / 100;
