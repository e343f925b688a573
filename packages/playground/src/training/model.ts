// The networks of the experiment, as `g2d train examples/av-mnist-small/small.json` builds them: the same seed gives the same weights.
import { perModality, type Fusion, type FusionOptions, type Method } from '@g2d/core';
import { smallAudioEncoder, smallImageEncoder } from '@g2d/encoders';
import { lateFusion, MultimodalModel } from '@g2d/fusion';
import { deriveSeed } from '@g2d/tensor-ops';
import type { Modality } from './names.js';

export const CLASSES = 10;

const ENCODERS = {
  audio: (seed: number, width: number | undefined) =>
    smallAudioEncoder({ name: 'audio', inputShape: [56, 56, 1], seed, ...(width && { width }) }),
  image: (seed: number, width: number | undefined) =>
    smallImageEncoder({ name: 'image', inputShape: [28, 28, 1], seed, ...(width && { width }) }),
};

/** What may differ between models. */
export interface ModelOptions<M extends Modality> {
  readonly modalities: readonly M[];
  readonly seed: number;
  /** Widths of features that a method asks for. */
  readonly widths?: Readonly<Partial<Record<Modality, number>>>;
  /** One of them may bring the fusion. */
  readonly methods?: readonly Method<string>[];
}

export function buildModel<M extends Modality>({
  modalities,
  seed,
  widths: wanted = {},
  methods = [],
}: ModelOptions<M>): MultimodalModel<M> {
  const encoders = perModality(modalities, (modality) =>
    ENCODERS[modality](deriveSeed(seed, modality), wanted[modality]),
  );
  const widths = perModality(modalities, (modality) => encoders[modality].outputs[0]?.shape[1] as number);
  const inputShapes = perModality(modalities, (modality) => encoders[modality].inputs[0]!.shape.slice(1));
  const options: FusionOptions<string> = { widths, classes: CLASSES, seed, inputShapes };
  const brought = methods.find((method) => method.fusion)?.fusion?.(options);
  const fusion = (brought ?? lateFusion(options)) as Fusion<M>;
  return new MultimodalModel({ encoders, fusion });
}

/** A teacher starts from other weights than a student of the same seed: from the same ones, distillation would be too easy. */
export const buildTeacher = <M extends Modality>(modality: M, seed: number): MultimodalModel<M> =>
  buildModel({ modalities: [modality], seed: deriveSeed(seed, 'teachers') });
