import { concatFusion, filmFusion, gatedFusion, lateFusion, MultimodalModel, sumFusion } from '@g2d/fusion';
import { perModality, type Fusion, type FusionOptions } from '@g2d/core';
import { modalities, type InputRecipe, type Modality, type ModelRecipe, type TrainCase } from './case.js';
import type { EncoderPool } from './encoder-pool.js';
import { FEATURES, type FusionName } from './torch-tensors.js';
import { TorchWeights, type ModuleNames } from './weights.js';

/** A model with the weights of a case. */
export interface CaseModel<M extends Modality> {
  readonly model: MultimodalModel<M>;
  readonly weights: TorchWeights;
  /** Gives the encoders back and frees the rest. */
  dispose(): void;
}

const widths = perModality(modalities, () => FEATURES);

interface CaseFusion {
  readonly build: (options: FusionOptions<Modality>) => Fusion<Modality>;
  /** Where the layers of PyTorch's fusion are in ours. */
  readonly modules: ModuleNames;
}

const heads: ModuleNames = { 'fusion_module.fc_x': 'head/audio', 'fusion_module.fc_y': 'head/visual' };
const output: ModuleNames = { 'fusion_module.fc_out': 'fusion/fc_out' };

/** Audio comes first, as in the released code: it conditions (FiLM) and opens the gate of the other modality. */
const FUSIONS: Readonly<Record<FusionName, CaseFusion>> = {
  late: { build: lateFusion, modules: heads },
  sum: { build: sumFusion, modules: heads },
  concat: { build: concatFusion, modules: output },
  film: { build: filmFusion, modules: { ...output, 'fusion_module.fc': 'fusion/fc' } },
  gated: {
    build: gatedFusion,
    modules: { ...output, 'fusion_module.fc_x': 'fusion/fc_x', 'fusion_module.fc_y': 'fusion/fc_y' },
  },
};

/** The student of a case: two encoders and its fusion. */
export function buildStudent(
  { seed, fusion, classes, inputs, student }: TrainCase,
  pool: EncoderPool,
): CaseModel<Modality> {
  const { build, modules } = FUSIONS[fusion];
  return buildModel({
    seed,
    inputs,
    pool,
    fusion: build({ widths, classes, seed: 0 }),
    recipe: student,
    modules: { audio_net: 'audio', visual_net: 'visual', ...modules },
  });
}

/** The teacher for one modality: an encoder and a linear head. */
export function buildTeacher<M extends Modality>(
  modality: M,
  recipe: ModelRecipe,
  { seed, classes, inputs }: TrainCase,
  pool: EncoderPool,
): CaseModel<M> {
  return buildModel<M>({
    seed,
    inputs,
    pool,
    fusion: lateFusion({ widths: { [modality]: FEATURES } as Record<M, number>, classes, seed: 0 }),
    recipe,
    modules: { net: modality, classifier: `head/${modality}` },
  });
}

function buildModel<M extends Modality>({
  seed,
  inputs,
  pool,
  fusion,
  recipe,
  modules,
}: {
  readonly seed: number;
  readonly inputs: Readonly<Record<M, InputRecipe>>;
  readonly pool: EncoderPool;
  readonly fusion: Fusion<M>;
  readonly recipe: ModelRecipe;
  readonly modules: ModuleNames;
}): CaseModel<M> {
  const encoders = perModality(fusion.modalities, (name) => pool.take(name, inputs[name]));
  const model = new MultimodalModel({ encoders, fusion });
  const weights = new TorchWeights(recipe, model.state(), modules);
  weights.initialize(seed);
  return {
    model,
    weights,
    dispose: () => {
      for (const name of fusion.modalities) pool.release(encoders[name]);
      for (const { layer } of fusion.layers) layer.dispose();
    },
  };
}
