import * as tf from '@tensorflow/tfjs-core';
import type { FrozenMultimodalModel, MultimodalModel } from '@g2d/fusion';
import type { Precision } from '@g2d/accelerate';
import {
  checkKeys,
  OptionError,
  perModality,
  UnknownModalityError,
  type Inputs,
  type Model,
  type TeacherOutputs,
  type Teachers,
} from '@g2d/core';

/** Trained models whose weights no longer change. */
export interface FrozenTeachers<M extends string> extends Teachers<M> {
  /** Frees what the teachers made for themselves, and closes files. The models stay. */
  dispose(): void;
}

/** A teacher's outputs that were computed before: `TeacherOutputsFile` of `@g2d/distill/node`. */
export interface StoredTeacher {
  /** Outputs of the samples, in the order of their ids. */
  rows(ids: readonly string[]): TeacherOutputs;
  /** Gives the file back. */
  close(): void;
}

/** How teachers run. */
export interface FrozenTeachersOptions<S extends string, M extends string = string> {
  /**
   * `'bfloat16'` for rougher teachers (relative error about 1e-2 of the features) that cost a third on CPUs with units for
   * it. Default `'float32'`.
   */
  readonly precision?: Precision;
  /** Modalities whose teacher does not run: its outputs are read. Right only for inputs that are not augmented at random. */
  readonly stored?: Readonly<Record<S, StoredTeacher>>;
  /** A trained model that has all modalities, for methods that learn from one. */
  readonly full?: Model<M>;
}

/**
 * Puts one trained unimodal model per modality together as teachers. Their weights must not change any more: on the `tensorflow`
 * backend batch normalization is folded into the convolutions, which a step with online teachers is faster by.
 *
 * @param unimodal For each modality a model of that modality alone, but for those of `stored`; none where methods need a `full` one only.
 * @throws {UnknownModalityError} If a model is not one of its modality.
 * @throws {OptionError} If a modality has both a model and stored outputs.
 * @see G2D, Sec. 3.1; stored outputs: App. A.6.3
 */
export function frozenTeachers<const M extends string, const S extends string = never>(
  unimodal: { readonly [K in M]: MultimodalModel<K> } | Readonly<Record<string, never>>,
  given: FrozenTeachersOptions<S, M | S> = {},
): FrozenTeachers<M | S> {
  const models = unimodal as { readonly [K in M]: MultimodalModel<K> };
  const { stored, full, ...options } = checkKeys(
    given,
    { precision: true, stored: true, full: true },
    'frozenTeachers',
  );
  const online = Object.keys(models) as M[];
  const read = Object.keys(stored ?? {}) as S[];
  for (const modality of online) {
    const known: readonly string[] = models[modality].modalities;
    if (known.join() !== modality) {
      throw new UnknownModalityError({ modality, known, where: `The teacher for ${modality}` });
    }
    if (read.includes(modality as unknown as S)) {
      const problem = `There is a model and a file of stored outputs for ${modality}. Give one of them.`;
      const accepted = 'modalities without a model';
      throw new OptionError(problem, { option: 'stored', value: modality, accepted });
    }
  }
  const frozen = perModality(online, (modality) => freezeOne(models[modality], modality, options));
  const rows = (modality: S, ids: readonly string[] | undefined): TeacherOutputs => {
    if (ids) return (stored as Readonly<Record<S, StoredTeacher>>)[modality].rows(ids);
    const problem = `The teacher for ${modality} is stored by sample; its outputs need \`ids\`.`;
    throw new OptionError(problem, { option: 'ids', value: ids, accepted: "the samples' ids" });
  };
  return {
    modalities: [...online, ...read],
    online,
    outputs: (batch) =>
      tf.tidy(() => ({
        ...perModality(online, (modality) => ({ ...frozen[modality].outputs(batch) })),
        ...perModality(read, (modality) => ({ ...rows(modality, batch.ids) })),
      })) as Record<M | S, TeacherOutputs>,
    unimodal: <K extends M | S>(modality: K): Model<K> => {
      const model = (models as { readonly [J in K]?: MultimodalModel<J> })[modality];
      const problem = `The teacher for ${modality} is stored outputs, but its weights are needed.`;
      return model ?? missing(problem, modality);
    },
    full: () => full ?? missing('A method needs a teacher that has all modalities.', 'full'),
    dispose: () => {
      for (const modality of online) frozen[modality].dispose();
      for (const modality of read) stored?.[modality].close();
    },
  };
}

function missing(problem: string, option: string): never {
  const accepted = 'a trained model';
  throw new OptionError(`${problem} Give the trained model.`, { option, value: undefined, accepted });
}

function freezeOne<K extends string>(
  model: MultimodalModel<K>,
  modality: K,
  options: { readonly precision?: Precision },
): { outputs(batch: Inputs<K>): TeacherOutputs; dispose: FrozenMultimodalModel<K>['dispose'] } {
  const frozen = model.freeze(options);
  return {
    outputs: ({ inputs, masks }) => {
      // A modality that the whole batch lacks: its teacher judges zeros, and masks leave the judgement out.
      const batch = inputs[modality]
        ? { inputs, masks }
        : zeroInputs(modality, model.inputShapes[modality], inputs);
      const { features, logits } = frozen.forward(batch);
      return { features: features[modality], logits };
    },
    dispose: frozen.dispose,
  };
}

/** Zeros of the shapes that an encoder takes, for as many samples as a batch has. */
function zeroInputs<K extends string>(
  modality: K,
  shapes: readonly (readonly (number | null)[])[],
  given: Inputs<string>['inputs'],
): Inputs<K> {
  const samples = Object.values(given).find((input) => input)?.shape[0] ?? 0;
  const [input, mask] = shapes.map(([, ...sizes]) => tf.zeros([samples, ...sizes.map((size) => size ?? 1)]));
  return {
    inputs: { [modality]: input } as Inputs<K>['inputs'],
    masks: { [modality]: mask } as Inputs<K>['masks'],
  };
}
