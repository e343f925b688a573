import { OptionError } from '@g2d/core';
import { loadRun, type CheckpointLabel, type LoadedRun } from '@g2d/runs';

/** A student of a figure. */
export interface FigureRun {
  /** How the figure calls its data. */
  readonly dataset: string;
  readonly method: string;
  readonly seed: number;
  readonly folder: string;
  /** Folders of its teachers by modality; empty where its method has none. */
  readonly teachers: Readonly<Record<string, string>>;
}

/** How run folders are opened. */
export interface OpenOptions {
  /** Whether modules that they name may be loaded. */
  readonly trust: boolean;
  /** Told of what is other than it was. */
  readonly note: (line: string) => void;
  /** Before a run is opened: what is done with it. */
  readonly stage: (name: string) => void;
}

/** Opens a run, does something with it, and closes it. */
export async function withRun<T>(
  folder: string,
  { trust, note }: OpenOptions,
  use: (run: LoadedRun) => Promise<T>,
  checkpoint?: CheckpointLabel | 'initial',
): Promise<T> {
  const run = await loadRun(folder, {
    trust,
    // Every sample is read once at most.
    changes: { 'data.inMemory': false },
    ...(checkpoint !== undefined && { checkpoint }),
  });
  try {
    for (const line of run.notes) note(line);
    for (const [split, words] of Object.entries(run.differences))
      note(`${folder}: the ${split} split is not the one that the run began with (${words}).`);
    return await use(run);
  } finally {
    await run.close();
  }
}

/** The datasets of some runs, in their order. */
export const datasetsOf = (runs: readonly FigureRun[]): readonly string[] => [
  ...new Set(runs.map(({ dataset }) => dataset)),
];

/**
 * The folders of a seed's teachers: those of any student that has them.
 *
 * @throws {OptionError} If none has.
 */
export function teachersOf(
  runs: readonly FigureRun[],
  { dataset, seed }: Pick<FigureRun, 'dataset' | 'seed'>,
): Readonly<Record<string, string>> {
  const found = runs.find(
    (run) => run.dataset === dataset && run.seed === seed && Object.keys(run.teachers).length > 0,
  );
  if (found) return found.teachers;
  throw new OptionError(
    `No student of seed ${seed} on ${dataset} names its teachers. Give runs of a method that learns from them, such as g2d.`,
    { option: 'runs', value: seed, accepted: 'students with teachers' },
  );
}

/** The runs of seeds whose teachers are there: of the others nothing can be said next to a teacher. */
export const withTeachers = (runs: readonly FigureRun[]): readonly FigureRun[] =>
  runs.filter(({ dataset, seed }) =>
    runs.some((run) => run.dataset === dataset && run.seed === seed && Object.keys(run.teachers).length > 0),
  );
