// Every method on networks without batch normalization and dropout, in which several processes come to what one does. Of the 26 training samples
// the last batch has two, which three processes cannot divide.
import type { KillPlan, PlannedTraining } from '../kill/plan.js';
import { teacherTrainings, trainings } from '../kill/plan.js';

interface Settings {
  readonly dataset: { readonly options?: object };
  readonly encoders: Readonly<Record<'loud' | 'quiet', { readonly type: string }>>;
  readonly method?: string;
  readonly methodOptions?: Readonly<Record<string, object>>;
}

const mlp = { type: 'mlp', hidden: [12], features: 6 };
/** What brings dropout by itself. */
const WITHOUT_DROPOUT = { cra: { dropout: 0 }, mmin: { dropout: 0 }, tate: { dropout: 0 } };

function steady({ id, out, config }: PlannedTraining): PlannedTraining {
  const { dataset, encoders, method, methodOptions = {}, ...rest } = config as Settings;
  const inputs = encoders.loud.type === 'tate' ? 'rows' : 'numbers';
  const options = { ...dataset.options, inputs, training: 26 };
  const steadyEncoders = Object.fromEntries(
    Object.entries(encoders).map(([modality, encoder]) => [
      modality,
      encoder.type === 'tate'
        ? { ...encoder, dropout: 0 }
        : encoder.type === 'flat'
          ? encoder
          : { ...encoder, ...mlp },
    ]),
  );
  const own = method === undefined ? {} : (WITHOUT_DROPOUT as Record<string, object>)[method];
  return {
    id,
    out,
    config: {
      ...rest,
      ...(method !== undefined && {
        method,
        methodOptions: own ? { ...methodOptions, [method]: { ...methodOptions[method], ...own } } : methodOptions,
      }),
      dataset: { ...dataset, options },
      encoders: steadyEncoders,
      ...(method !== 'cpm-net' && { batchSize: 12 }),
      ...(method === 'cpm-net' && { batchSize: 26 }),
      checkpoints: { minutes: 10 },
    },
  };
}

/** The runs that students name, in one process. */
export const teacherPlan = (root: string): KillPlan => ({ runs: teacherTrainings(root).map(steady), kills: [] });

/** A run of each method. */
export const methodPlan = (root: string, out: string): KillPlan => ({
  runs: trainings(root, out).map(steady),
  kills: [],
});
