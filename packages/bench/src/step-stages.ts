import { G2DError, type Method, type Stage } from '@g2d/core';

/** A stage as it is measured. */
export interface MeasuredStage {
  readonly name: string;
  /** Of the epochs of a training, in [0, 1]. */
  readonly share: number;
}

/** The paper's number: the stages of a training of at most so many epochs are taken for usual. */
const EPOCHS = 300;

/**
 * Methods whose stages have one epoch each, and what share of a training each stage is. Of a training with many stages, which come
 * again and again, the last round counts.
 *
 * @throws {OptionError} If a method has stages for no number of epochs.
 */
export function shortened(
  methods: readonly Method<string>[],
  modalities: readonly string[],
): { readonly methods: readonly Method<string>[]; readonly stages: readonly MeasuredStage[] } {
  const owner = methods.find(({ stages }) => stages);
  if (!owner) return { methods, stages: [{ name: '', share: 1 }] };
  const all = usualStages(owner, modalities);
  // Two for each modality at most: its own turn, and one of all together.
  const round = 2 * modalities.length;
  const own = all.length > 2 * round ? all.slice(-round) : all;
  const epochs = own.reduce((sum, stage) => sum + stage.epochs, 0);
  const short = own.map((stage) => ({ ...stage, epochs: 1 }));
  return {
    methods: methods.map((method) => (method === owner ? { ...method, stages: () => short } : method)),
    stages: own.map((stage) => ({ name: stage.name, share: stage.epochs / epochs })),
  };
}

function usualStages(method: Method<string>, modalities: readonly string[]): readonly Stage<string>[] {
  let refused: unknown;
  for (let epochs = EPOCHS; epochs > 0; epochs--) {
    try {
      const stages = method.stages?.({ epochs, modalities }) ?? [];
      return stages.filter((stage) => stage.epochs > 0);
    } catch (error) {
      // Some want a multiple of something.
      if (!G2DError.isInstance(error)) throw error;
      refused = error;
    }
  }
  throw refused;
}
