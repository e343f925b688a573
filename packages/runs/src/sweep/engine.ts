import type { PlannedRun, SweepPlan } from './plan.js';

/** Who wants to know how far a sweep is. */
export interface SweepReporter {
  /** A run begins, or goes on. */
  begin(run: PlannedRun): void;
  /** So many of a run's epochs are done. */
  epoch(run: PlannedRun, done: number): void;
  /** A run is finished. */
  finished(run: PlannedRun): void;
  /** A run has failed; `why` is one sentence. */
  failed(run: PlannedRun, why: string): void;
  /** Something to tell the user. */
  note(line: string): void;
}

/** What an engine works with. */
export interface EngineContext {
  /** The sweep's folder, which the caller has locked; its manifest is written. */
  readonly out: string;
  /** What the sweep is called, and how its runs are given to a queue and tried again. */
  readonly plan?: Pick<SweepPlan, 'name' | 'queues'>;
  /** Let what is being trained save itself, and return. */
  readonly signal: AbortSignal;
  readonly reporter: SweepReporter;
}

/** Where runs are trained. What came of them is in their folders. */
export interface SweepEngine {
  /** It gives runs to a queue, and returns before they are trained. */
  readonly handsOver?: boolean;
  /**
   * Trains what is not finished; a run begins when what it needs is finished. A run that fails keeps none but those that need it
   * from being trained.
   *
   * @param runs In an order in which they can be trained; what they need is among them, or finished.
   */
  run(runs: readonly PlannedRun[], context: EngineContext): Promise<void>;
}
