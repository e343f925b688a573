// The sweep of the main job with another number of epochs: its phases and rates follow it.
import { join } from 'node:path';
import { planSweep, readSweep, type SweepPlan } from '@g2d/runs';

/** What a command line changes in a sweep. */
export interface SweepChanges {
  /** Of each training; those of the file, 60, if it is not given. */
  readonly epochs?: number;
  readonly out: string | undefined;
  /** Further settings of every run. */
  readonly set?: Readonly<Record<string, unknown>>;
}

/** A tenth of the rate after 70 % of the epochs. */
export const withEpochs = (epochs: number): Record<string, unknown> => ({
  epochs,
  'optimizer.schedule.after': [Math.max(1, Math.floor((7 * epochs) / 10))],
});

/** Of teachers: the best of every sixth part of the epochs. */
export const teachersWithEpochs = (epochs: number): Record<string, unknown> => ({
  'evaluation.every': Math.max(1, Math.round(epochs / 6)),
});

/** τ: one modality alone for the first part of the epochs, by default half of them, both for the rest. */
export const phases = (epochs: number, part = 0.5): readonly [number, number] => {
  const alone = Math.floor(part * epochs);
  return [alone, epochs - alone];
};

/** The runs of `sweep.json`. */
export async function planOf({ epochs, out, set }: SweepChanges): Promise<SweepPlan> {
  const sweep = readSweep(join(import.meta.dirname, 'sweep.json'));
  const { teachers } = sweep;
  return planSweep({
    ...sweep,
    out: out ?? sweep.out,
    set: {
      ...sweep.set,
      ...(epochs !== undefined && {
        ...withEpochs(epochs),
        'methodOptions.smp.phaseEpochs': phases(epochs),
      }),
      ...set,
    },
    ...(epochs !== undefined &&
      teachers !== 'ready' && { teachers: { set: { ...teachers.set, ...teachersWithEpochs(epochs) } } }),
  });
}
