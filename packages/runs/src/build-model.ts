import type { LayersModel } from '@tensorflow/tfjs-layers';
import { accelerate } from '@g2d/accelerate';
import { perModality } from '@g2d/core';
import { MultimodalModel } from '@g2d/fusion';
import { deriveSeed } from '@g2d/tensor-ops';
import type { ModelFacts } from './modalities.js';
import type { ModelPlan } from './plan-model.js';
import { usablePrecision } from './precision.js';

/** A model as a configuration describes it, with new weights. */
export interface BuiltModel {
  readonly model: MultimodalModel<string>;
  readonly encoders: Readonly<Record<string, LayersModel>>;
}

/**
 * Builds the model of a run. The same configuration gives the same initial weights.
 *
 * A teacher (one modality) starts from other weights than a student of the same seed: from the same ones, distillation would
 * be too easy.
 */
export async function buildModel(plan: ModelPlan, { shapes, classes }: ModelFacts): Promise<BuiltModel> {
  const modalities = Object.keys(shapes);
  const seed = modalities.length === 1 ? deriveSeed(plan.seed, 'teachers') : plan.seed;
  const precision = usablePrecision(plan.precision);
  const encoders: Record<string, LayersModel> = {};
  for (const [name, shape] of Object.entries(shapes)) {
    const spec = { name, inputShape: shape as (number | null)[], seed };
    const encoder = (await plan.encoders.get(name)?.make(spec)) as LayersModel;
    encoders[name] = precision === 'float32' ? encoder : accelerate(encoder, { precision });
  }
  const widths = perModality(modalities, (name) => encoders[name]?.outputs[0]?.shape[1] as number);
  const fusion = await plan.fusion({ widths, classes, seed, inputShapes: shapes });
  const { absentRows } = plan;
  return { model: new MultimodalModel({ encoders, fusion, absentRows }), encoders };
}
