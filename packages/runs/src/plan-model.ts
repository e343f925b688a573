import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { EncoderOptions, Fusion, FusionOptions, Method } from '@g2d/core';
import { lateFusion } from '@g2d/fusion';
import type { RunComponents } from '@g2d/core/run-folder';
import { findEncoder, findFusion, type Found } from './components.js';
import type { RunConfig } from './config-schema.js';

/** What a run's model is made of. */
export interface ModelPlan {
  readonly seed: number;
  readonly precision: RunConfig['precision'];
  readonly absentRows: RunConfig['absentRows'];
  /** By modality; also of those that the dataset may lack. */
  readonly encoders: ReadonlyMap<string, Found<EncoderOptions, LayersModel>>;
  fusion(options: FusionOptions<string>): Promise<Fusion<string>>;
  /** Options that modules of the user's have not read so far: sentences for the user. */
  unread(): readonly string[];
  /** What they say about themselves. */
  readonly components: Pick<RunComponents, 'encoders' | 'fusion'>;
}

/**
 * Finds the encoders and the fusion of a run.
 *
 * @param methods The run's: one of them may bring the fusion.
 */
export async function planModel(
  { modalities, encoders, fusion, seed, precision, absentRows }: RunConfig,
  methods: readonly Method<string>[],
): Promise<ModelPlan> {
  const used = Object.entries(encoders).filter(([name]) => modalities?.includes(name) ?? true);
  const found = await Promise.all(
    used.map(async ([name, encoder]) => [name, await findEncoder(name, encoder)] as const),
  );
  const needed = methods.find((method) => method.fusion);
  // A teacher has nothing to fuse.
  const chosen = needed || used.length === 1 ? undefined : await findFusion(fusion);
  return {
    seed,
    precision,
    absentRows,
    encoders: new Map(found),
    fusion: async (options) =>
      needed?.fusion?.(options) ?? (chosen ? chosen.make(options) : lateFusion(options)),
    unread: () =>
      [...found.map(([, each]) => each), ...(chosen ? [chosen] : [])].flatMap((each) => each.unread()),
    components: {
      encoders: Object.fromEntries(found.flatMap(([name, { words }]) => (words ? [[name, words]] : []))),
      ...(chosen?.words && { fusion: chosen.words }),
    },
  };
}
