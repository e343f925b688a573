import {
  OptionError,
  perModality,
  type Fusion,
  type FusionOptions,
  type Outputs,
  type PerModality,
} from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';
import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { joined, joinedSymbolic } from './joined-features.js';
import { learnedScalar } from './learned-scalar.js';
import { normalizedHead, type Head } from './normalized-head.js';
import { presentRows } from './present-rows.js';

/** What the fusion of MIS-ME is to be. */
export interface MisMeFusionOptions {
  readonly variant: 'concat' | 'hybrid' | 'one-scalar' | 'two-scalars';
  readonly dropout: readonly [number, number];
  /** Modalities whose own head is one linear layer. Default: those whose features are 16 wide or less. */
  readonly linearHeads?: readonly string[] | undefined;
}

/** What heads that are summed give beside the usual. */
export interface ScaledOutputs<M extends string> extends Outputs<M> {
  /** a_m `[1, 1]`. */
  readonly scalars?: PerModality<M, tf.Tensor2D>;
}

/** Widest features of a linear head, where nothing is said. */
const NARROW = 16;

/**
 * The fusions of MIS-ME. `concat`, `hybrid`: a head `fusion` on the normalized concatenated features; with `hybrid` heads `head/<modality>` beside it. The
 * others: heads whose outputs are summed, with a learned number for each modality, `head/<modality>/scalar`, or α = `fusion/scalar` for the last modality and 1 − α for the other.
 *
 * The numbers multiply features and outputs: z = Σ_m a_m u_m, u_m = head_m(a_m f_m).
 *
 * @throws {OptionError} If one number is to weigh other than two modalities, or `linearHeads` names no modality.
 */
export function misMeFusion<M extends string>(
  { widths, classes, seed }: FusionOptions<M>,
  { variant, dropout, linearHeads }: MisMeFusionOptions,
): Fusion<M> {
  const modalities = Object.keys(widths) as M[];
  assertOptions(modalities, { variant, linearHeads });
  const headOf = (name: string, width: number, hidden: readonly number[], norm = false): Head =>
    normalizedHead(name, { width, hidden, dropout, outputs: classes, seed, norm });
  const whole = modalities.reduce((sum, m) => sum + widths[m], 0);
  const joint =
    variant === 'concat' || variant === 'hybrid' ? headOf('fusion', whole, [256, 128], true) : undefined;
  const heads = variant === 'concat' ? undefined : perModality(modalities, (m) => ownHead(m));
  function ownHead(m: M): Head {
    const width = widths[m];
    const isLinear = linearHeads?.includes(m) ?? width <= NARROW;
    const part = (of: number): number => Math.max(1, Math.floor(width / of));
    return headOf(`head/${m}`, width, isLinear ? [] : [part(2), part(4)]);
  }
  const numbers =
    variant === 'two-scalars' ? perModality(modalities, (m) => learnedScalar(`head/${m}/scalar`)) : undefined;
  const alpha = variant === 'one-scalar' ? learnedScalar('fusion/scalar') : undefined;
  /** a_m `[1, 1]`. */
  const factorOf = (m: M): tf.Tensor2D => {
    if (numbers) return numbers[m].value();
    const value = alpha?.value() as tf.Tensor2D;
    return m === modalities.at(-1) ? value : tf.sub(1, value);
  };
  return {
    modalities,
    widths,
    layers: [
      ...modalities.flatMap((modality) =>
        [...(heads?.[modality].layers ?? []), ...(numbers ? [numbers[modality].layer] : [])].map((layer) => ({
          layer,
          modality,
        })),
      ),
      ...[...(joint?.layers ?? []), ...(alpha ? [alpha.layer] : [])].map((layer) => ({
        layer,
        modality: undefined,
      })),
    ],
    apply: (given, { training, present }) =>
      tf.tidy(() => {
        const { features, all, alone } = joined(modalities, given, present);
        if (joint) {
          // What one modality alone comes to is asked after, not trained: running statistics.
          const own = perModality(modalities, (m) =>
            heads ? heads[m].apply(features[m], { training }) : joint.apply(alone[m], { training: false }),
          );
          return { features, unimodalLogits: own, logits: joint.apply(all, { training }) };
        }
        const scalars = perModality(modalities, factorOf);
        const own = perModality(modalities, (m) =>
          (heads as PerModality<M, Head>)[m].apply(tf.mul(features[m], scalars[m]), { training }),
        );
        const parts = modalities.map((m) => presentRows(tf.mul(own[m], scalars[m]), present?.[m]));
        return { features, scalars, unimodalLogits: own, logits: tf.addN(parts) as tf.Tensor2D };
      }),
    symbolic(features) {
      if (joint) {
        const { all, alone } = joinedSymbolic(modalities, features);
        const own = perModality(modalities, (m) =>
          heads ? heads[m].symbolic(features[m]) : joint.symbolic(alone[m]),
        );
        return { logits: joint.symbolic(all), unimodalLogits: own };
      }
      const sum = (name: string, parts: SymbolicTensor[]): SymbolicTensor =>
        (parts.length > 1 ? layers.add({ name }).apply(parts) : parts[0]) as SymbolicTensor;
      const times = (m: M, x: SymbolicTensor, name: string): SymbolicTensor => {
        if (numbers) return numbers[m].symbolic(x, name);
        const scaled = alpha?.symbolic(x, name) as SymbolicTensor;
        if (m === modalities.at(-1)) return scaled;
        const minus = layers.rescaling({ name: `${name}/minus`, scale: -1 });
        return sum(`${name}/rest`, [x, minus.apply(scaled) as SymbolicTensor]);
      };
      const own = perModality(modalities, (m) =>
        (heads as PerModality<M, Head>)[m].symbolic(times(m, features[m], `fusion/${m}/features`)),
      );
      const parts = modalities.map((m) => times(m, own[m], `fusion/${m}/output`));
      return { logits: sum('fusion/sum', parts), unimodalLogits: own };
    },
  };
}

function assertOptions(
  modalities: readonly string[],
  { variant, linearHeads = [] }: Pick<MisMeFusionOptions, 'variant' | 'linearHeads'>,
): void {
  if (variant === 'one-scalar' && modalities.length !== 2)
    throw new OptionError(
      `\`variant\` is "one-scalar", α for one modality and 1 − α for the other, but there are ${modalities.length}: ${modalities.join(', ')}. Take "two-scalars", a number for each.`,
      { option: 'variant', value: variant, accepted: 'two modalities' },
    );
  const unknown = linearHeads.find((name) => !modalities.includes(name));
  if (unknown === undefined) return;
  throw new OptionError(
    `\`linearHeads\` names "${unknown}", which is no modality; there are ${modalities.join(', ')}.`,
    { option: 'linearHeads', value: unknown, accepted: modalities.join(', ') },
  );
}
