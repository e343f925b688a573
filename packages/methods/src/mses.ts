import { studentLoss } from '@g2d/distill';
import type { MultimodalModel } from '@g2d/fusion';
import { OptionError, perModality, type NamedGradient, type PerModality } from '@g2d/core';
import type { EpochRecord, Method, Snapshot } from '@g2d/trainer';
import * as tf from '@tensorflow/tfjs-core';
import { watchLoss, type LossWatch } from './early-stopping.js';
import { assertMsesOptions, type MsesOptions } from './mses-options.js';
import { presentLoss } from './present-loss.js';
import { packSnapshots, unpackSnapshots, type PackedSnapshots } from './snapshot-arrays.js';

/** What is saved beside the arrays. */
interface MsesState<M extends string> {
  readonly watches: PerModality<M, LossWatch>;
  readonly learningRates: PackedSnapshots['learningRates'];
}

/**
 * MSES, modality-specific early stopping: each modality stops when its own validation loss does not get better any more.
 *
 * L = CE(z, y) + Σ_m w_m CE(u_m, y); with `form: 'released'` L = CE(z, y)
 *
 * Every epoch must be evaluated on the validation part. What stops is the modality's encoder and head (layers of the fusion that serve
 * it alone; a head on concatenated features is shared and goes on). In the paper's form a stopped encoder runs in inference mode, so its
 * running statistics stay too. Where all modalities have stopped in the released form, the training ends.
 * The log has `stopped`: 1 for modalities that had stopped before the epoch. Any fusion; any number of modalities; regressions too.
 *
 * @throws {OptionError} If an option is not accepted; in `onEpochEnd`, if the epoch was not evaluated on the validation part.
 * @example
 * await train({ model, methods: [mses({ patience: 10 })], evaluate, … });
 * @see Fujimori et al., Modality-Specific Learning Rate Control for Multimodal Classification (2019); `'released'`: code of AGM (ICCV 2023)
 */
export function mses<M extends string>(options: MsesOptions<NoInfer<M>>): Method<M> {
  assertMsesOptions(options);
  const { patience, form = 'paper', weights = 1, epochs = [1, Infinity] } = options;
  const rule = { patience, form };
  const released = form === 'released';
  let modalities: readonly M[] = [];
  let watches: Record<M, LossWatch>;
  /** Of every modality's best epoch that it may still go back to. */
  let snapshots = new Map<number, Snapshot>();

  const isStopped = (modality: M | undefined): boolean => modality !== undefined && watches[modality].stopped;
  const weightOf = (modality: M): number => (typeof weights === 'number' ? weights : weights[modality]);

  const method: Method<M> = {
    name: 'mses',
    validation: 'every-epoch',
    onTrainStart({ model }) {
      modalities = model.modalities;
      assertWeights(weights, modalities);
      watches = perModality(modalities, () => ({ stopped: false }));
      snapshots = new Map();
    },
    onEpochEnd(training, record) {
      const { epoch } = record;
      const now = training.snapshot();
      for (const modality of modalities) {
        const before = watches[modality];
        if (before.stopped) continue;
        const watch = watchLoss(before, { epoch, loss: validationLoss(record, modality, modalities) }, rule);
        watches[modality] = watch;
        // The paper's form goes back to weights alone.
        if (watch.best?.epoch === epoch) snapshots.set(epoch, released ? now : { ...now, optimizers: {} });
        if (!watch.stopped) continue;
        const best = snapshots.get(watch.best?.epoch as number) as Snapshot;
        if (released) training.restore(best);
        else training.restore(best, modality);
      }
      const needed = modalities.filter((m) => !watches[m].stopped).map((m) => watches[m].best?.epoch);
      snapshots = new Map([...snapshots].filter(([of]) => needed.includes(of)));
      // The released form ends here; the paper's has other parts that go on: the fusion.
      if (released && modalities.every(isStopped)) return 'stop';
      return undefined;
    },
    afterBackward(gradients, { epoch, model }) {
      if (released && !(epochs[0] <= epoch && epoch <= epochs[1])) return gradients;
      const modalityOf = ownerOf(model);
      return gradients.map(({ name, tensor }): NamedGradient => {
        if (!isStopped(modalityOf(name))) return { name, tensor };
        return { name, tensor: released && tensor ? tf.zerosLike(tensor) : null };
      });
    },
    stepLog: () => ({ stopped: perModality(modalities, (modality) => Number(isStopped(modality))) }),
    getState() {
      const { learningRates, arrays } = packSnapshots(snapshots);
      return { values: { watches, learningRates } satisfies MsesState<M>, arrays };
    },
    setState({ values, arrays = {} }) {
      const { watches: saved, learningRates } = values as MsesState<M>;
      watches = perModality(modalities, (modality) => saved[modality]);
      snapshots = unpackSnapshots({ learningRates, arrays });
    },
  };
  if (released) return method;
  return {
    ...method,
    encoderTraining: (modality) => !isStopped(modality),
    loss(step, { logits, unimodalLogits }) {
      const student = studentLoss(step.batch.labels, logits, { task: step.task });
      const own = modalities.map(
        (modality) => [modality, presentLoss(step, modality, unimodalLogits[modality])] as const,
      );
      const weighted = own.map(([modality, loss]) => tf.mul<tf.Scalar>(loss, weightOf(modality)));
      return {
        ...Object.fromEntries(own),
        student,
        total: tf.addN([student, ...weighted]) as tf.Scalar,
      };
    },
  };
}

/** The modality whose encoder or head a variable belongs to. */
const ownerOf = <M extends string>(model: MultimodalModel<M>): ((variable: string) => M | undefined) => {
  const groups = model.groups();
  return (variable) => groups.get(variable)?.modality;
};

function validationLoss<M extends string>(
  { epoch, metrics }: EpochRecord,
  modality: M,
  modalities: readonly M[],
): number {
  const loss = metrics?.validation?.[modality]?.loss;
  if (loss !== undefined && Number.isFinite(loss)) return loss;
  throw new OptionError(
    `MSES needs the validation loss of ${modalities.join(', ')} after every epoch, but epoch ${epoch} has none of ${modality}. Evaluate every epoch on the validation part.`,
    { option: 'evaluate', value: metrics, accepted: 'validation metrics after every epoch' },
  );
}

/** Throws unless weights for each are of the model's modalities, each once. */
function assertWeights(
  weights: number | Readonly<Record<string, number>>,
  modalities: readonly string[],
): void {
  if (typeof weights === 'number') return;
  const names = Object.keys(weights);
  if ([...names].sort().join() === [...modalities].sort().join()) return;
  throw new OptionError(
    `\`weights\` of MSES are of ${names.join(', ') || 'nothing'}; give one for each of ${modalities.join(', ')}.`,
    { option: 'weights', value: weights, accepted: modalities.join(', ') },
  );
}
