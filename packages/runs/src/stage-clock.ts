/** How long the stages of a run take, over all processes that work on it one after the other. */
export interface StageClock {
  /** Runs a piece of a stage. Pieces may lie inside of one another: each second counts once, for the innermost. */
  time<T>(stage: string, work: () => T): T;
  timeAsync<T>(stage: string, work: () => Promise<T>): Promise<T>;
  /** So far, pieces that have not ended included. */
  seconds(): Readonly<Record<string, number>>;
}

/** @param before What earlier processes took. */
export function stageClock(before: Readonly<Record<string, number>> = {}): StageClock {
  const totals: Record<string, number> = { ...before };
  const open: string[] = [];
  let since = performance.now();
  /** Counts the time since the last change for the stage that is open now. */
  const settle = (): void => {
    const now = performance.now();
    const stage = open.at(-1);
    if (stage !== undefined) totals[stage] = (totals[stage] ?? 0) + (now - since) / 1000;
    since = now;
  };
  const enter = (stage: string): void => {
    settle();
    open.push(stage);
  };
  const leave = (): void => {
    settle();
    open.pop();
  };
  return {
    time: (stage, work) => {
      enter(stage);
      try {
        return work();
      } finally {
        leave();
      }
    },
    timeAsync: async (stage, work) => {
      enter(stage);
      try {
        return await work();
      } finally {
        leave();
      }
    },
    seconds: () => {
      settle();
      return { ...totals };
    },
  };
}
