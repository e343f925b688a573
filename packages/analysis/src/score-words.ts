import type { Task } from './run.js';

/** How the score of a task is called, in percent for all of them. */
interface ScoreWords {
  /** Within a sentence, a header or a file. */
  readonly name: string;
  /** At the beginning of a sentence. */
  readonly title: string;
  /** Less is better. */
  readonly isError: boolean;
}

/** The score of each task. */
export const SCORES: Readonly<Record<Task, ScoreWords>> = {
  classification: { name: 'accuracy', title: 'Accuracy', isError: false },
  regression: { name: 'MAPE', title: 'MAPE', isError: true },
  'multi-label': { name: 'micro F1', title: 'Micro F1', isError: false },
};
