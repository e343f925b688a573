// Every method on networks without batch normalization, with dropout, in which several processes come to what one does. Of the 26 training samples
// the last batch has two, which three processes cannot divide.
import type { KillPlan, PlannedTraining } from '../kill/plan.js';
import { teacherTrainings, trainings } from '../kill/plan.js';

interface Settings {
  readonly dataset: { readonly options?: object };
  readonly encoders: Readonly<Record<'loud' | 'quiet', { readonly type: string }>>;
  readonly method?: string;
  readonly methodOptions?: Readonly<Record<string, object>>;
}

// Not Adam, which makes steps of full size from gradients that are rounding alone.
const STEADY = {
  type: 'sgd',
  learningRate: 0.02,
  momentum: 0.9,
  schedule: { type: 'step', after: [2] },
};
const mlp = { type: 'mlp', hidden: [12], features: 6, dropout: 0.2 };
/** Methods that mean convolutions. */
const OWN: Readonly<Record<string, object>> = {
  ogm: { scope: 'encoder' },
  'ogm-ge': { scope: 'encoder' },
};

function steady({ id, out, config }: PlannedTraining): PlannedTraining {
  const { dataset, encoders, method, methodOptions = {}, ...rest } = config as Settings;
  const inputs = encoders.loud.type === 'tate' ? 'rows' : 'numbers';
  const options = { ...dataset.options, inputs, training: 26 };
  const steadyEncoders = Object.fromEntries(
    Object.entries(encoders).map(([modality, encoder]) => [
      modality,
      ['tate', 'flat'].includes(encoder.type) ? encoder : { ...encoder, ...mlp },
    ]),
  );
  const own = method === undefined ? {} : OWN[method];
  return {
    id,
    out,
    config: {
      ...rest,
      ...(method !== undefined && {
        method,
        methodOptions: own
          ? { ...methodOptions, [method]: { ...methodOptions[method], ...own } }
          : methodOptions,
      }),
      dataset: { ...dataset, options },
      encoders: steadyEncoders,
      ...(method !== 'cpm-net' && { batchSize: 12 }),
      ...(method === 'cpm-net' && { batchSize: 26 }),
      checkpoints: { minutes: 10 },
      // Some losses are sums, for which a usual rate is too large.
      optimizer: ['mmin', 'cpm-net', 'tate', 'mis-me'].includes(method ?? '')
        ? { ...STEADY, learningRate: 0.0005 }
        : STEADY,
    },
  };
}

/** The runs that students name, in one process. */
export const teacherPlan = (root: string): KillPlan => ({
  runs: teacherTrainings(root).map(steady),
  kills: [],
});

/** A run of each method. */
export const methodPlan = (root: string, out: string): KillPlan => ({
  runs: trainings(root, out).map(steady),
  kills: [],
});

/** Runs of networks with batch normalization, synchronized; on pictures. */
export const synchronizedPlan = (root: string, out: string): KillPlan => ({
  runs: trainings(root, out)
    .filter(({ id }) => ['joint', 'ogm-ge', 'mla', 'mis-me'].includes(id))
    .map(({ id, out: folder, config }) => ({
      id: `${id}-synchronized`,
      out: `${folder}-synchronized`,
      config: {
        ...config,
        dataset: {
          ...(config as Settings).dataset,
          // Of two rows of numbers, batch normalization makes ±1 of the smallest difference, rounding too.
          options: { ...(config as Settings).dataset.options, training: id === 'mis-me' ? 24 : 26 },
        },
        batchSize: 12,
        ...(id === 'mis-me' && { methodOptions: { 'mis-me': { dropout: [0, 0] } } }),
        optimizer: id === 'mis-me' ? { ...STEADY, learningRate: 0.0005 } : STEADY,
        checkpoints: { minutes: 10 },
        parallel: { batchNorm: 'synchronized' },
      },
    })),
  kills: [],
});
