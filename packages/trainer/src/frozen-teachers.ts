import * as tf from '@tensorflow/tfjs-core';
import type { Batch } from '@g2d/datasets';
import type { TeacherOutputs } from '@g2d/distill';
import type { EncoderInput, MultimodalModel } from '@g2d/fusion';
import type { Precision } from '@g2d/accelerate';
import { OptionError, perModality, UnknownModalityError } from '@g2d/core';
import { encoderInputs } from './encoder-inputs.js';

/** Unimodal teachers whose weights no longer change. */
export interface FrozenTeachers<M extends string> {
  readonly modalities: readonly M[];
  /**
   * Logits and features of each teacher on a batch, in inference mode and without a tape; the caller disposes them. Stored
   * outputs are found by the samples' ids, the others need inputs alone.
   */
  outputs(
    batch: Pick<Batch<M>, 'inputs' | 'masks'> & Partial<Pick<Batch<M>, 'ids'>>,
  ): Record<M, TeacherOutputs>;
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
export interface FrozenTeachersOptions<S extends string> {
  /**
   * `'bfloat16'` for rougher teachers (relative error about 1e-2 of the features) that cost a third on CPUs with units for
   * it. Default `'float32'`.
   */
  readonly precision?: Precision;
  /** Modalities whose teacher does not run: its outputs are read. Right only for inputs that are not augmented at random. */
  readonly stored?: Readonly<Record<S, StoredTeacher>>;
}

/**
 * Puts one trained unimodal model per modality together as teachers. Their weights must not change any more: on the `tensorflow`
 * backend batch normalization is folded into the convolutions, which a step with online teachers is faster by.
 *
 * @param models For each modality a model of that modality alone, but for those of `stored`.
 * @throws {UnknownModalityError} If a model is not one of its modality.
 * @throws {OptionError} If a modality has both a model and stored outputs.
 * @see G2D, Sec. 3.1; stored outputs: App. A.6.3
 */
export function frozenTeachers<const M extends string, const S extends string = never>(
  models: {
    readonly [K in M]: MultimodalModel<K>;
  },
  { stored, ...options }: FrozenTeachersOptions<S> = {},
): FrozenTeachers<M | S> {
  const online = Object.keys(models) as M[];
  const read = Object.keys(stored ?? {}) as S[];
  for (const modality of online) {
    const known: readonly string[] = models[modality].modalities;
    if (known.join() !== modality) {
      throw new UnknownModalityError({ modality, known, where: `The teacher for ${modality}` });
    }
    if (read.includes(modality as unknown as S)) {
      throw new OptionError(
        `There is a model and a file of stored outputs for ${modality}. Give one of them.`,
        {
          option: 'stored',
          value: modality,
          accepted: 'modalities without a model',
        },
      );
    }
  }
  const frozen = perModality(online, (modality) => freezeOne(models[modality], modality, options));
  const rows = (modality: S, ids: readonly string[] | undefined): TeacherOutputs => {
    if (ids) return (stored as Readonly<Record<S, StoredTeacher>>)[modality].rows(ids);
    throw new OptionError(`The teacher for ${modality} is stored by sample; its outputs need \`ids\`.`, {
      option: 'ids',
      value: ids,
      accepted: "the samples' ids",
    });
  };
  return {
    modalities: [...online, ...read],
    outputs: (batch) =>
      tf.tidy(() => ({
        ...perModality(online, (modality) => ({ ...frozen[modality].outputs(batch) })),
        ...perModality(read, (modality) => ({ ...rows(modality, batch.ids) })),
      })) as Record<M | S, TeacherOutputs>,
    dispose: () => {
      for (const modality of online) frozen[modality].dispose();
      for (const modality of read) stored?.[modality].close();
    },
  };
}

function freezeOne<K extends string>(
  model: MultimodalModel<K>,
  modality: K,
  options: { readonly precision?: Precision },
): { outputs(batch: Pick<Batch<K>, 'inputs' | 'masks'>): TeacherOutputs; dispose(): void } {
  const frozen = model.freeze(options);
  return {
    outputs: (batch) => {
      // A modality that the whole batch lacks: its teacher judges zeros, and masks leave the judgement out.
      const inputs = encoderInputs(model, batch)[modality] ?? zeroInputs(model.inputShapes[modality], batch);
      const { features, logits } = frozen.forward({ [modality]: inputs } as Record<K, EncoderInput>);
      return { features: features[modality], logits };
    },
    dispose: frozen.dispose,
  };
}

/** Zeros of the shapes that an encoder takes, for as many samples as a batch has. */
function zeroInputs(
  shapes: readonly (readonly (number | null)[])[],
  { inputs }: Pick<Batch<string>, 'inputs'>,
) {
  const samples = Object.values<tf.Tensor | undefined>(inputs).find((input) => input)?.shape[0] ?? 0;
  return shapes.map(([, ...sizes]) => tf.zeros([samples, ...sizes.map((size) => size ?? 1)]));
}
