import { perModality, type Outputs, type Pass } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';

/** Every set of modalities but the empty one, all of them first. */
export function coalitionsOf<M extends string>(modalities: readonly M[]): readonly (readonly M[])[] {
  const sets = Array.from({ length: 2 ** modalities.length - 1 }, (_, i) =>
    modalities.filter((_m, bit) => ((i + 1) >> bit) & 1),
  );
  return sets.toSorted((a, b) => b.length - a.length);
}

/**
 * Each modality's part of the logits: what it adds, averaged over the orders in which modalities come.
 *
 * φ_m = Σ_{S ∌ m} |S|! (k − |S| − 1)! / k! · (F(S ∪ m) − F(S)),  F(∅) = 0, so Σ_m φ_m = F(all)
 *
 * @param coalitions F(S) `[B, C]` by the names of S, in the modalities' order and joined by "+".
 */
export function shapleyParts<M extends string>(
  modalities: readonly M[],
  coalitions: Readonly<Record<string, tf.Tensor2D>>,
): Record<M, tf.Tensor2D> {
  const k = modalities.length;
  const share = (size: number): number => (factorial(size) * factorial(k - size - 1)) / factorial(k);
  return perModality(modalities, (m) =>
    tf.tidy(() => {
      const terms = coalitionsOf(modalities).map((those) => {
        const weight = those.includes(m) ? share(those.length - 1) : -share(those.length);
        return tf.mul(coalitions[those.join('+')] as tf.Tensor2D, weight);
      });
      return tf.addN(terms) as tf.Tensor2D;
    }),
  );
}

const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1));

/** Logits of the model with the inputs of some modalities alone, by their names joined by "+". */
interface Coalitions {
  readonly coalitions: Readonly<Record<string, tf.Tensor2D>>;
}

/**
 * What a pass gives, with each modality's part of the logits as its own ones: a pass with each set of modalities, the inputs of the others 0.
 * The first, of all of them, runs as any pass; the others in inference mode.
 */
export function shapleyOutputs<M extends string>(pass: Pass<M>): Outputs<M> & Coalitions {
  const { modalities } = pass.model;
  const full = pass.forward();
  const coalitions = Object.fromEntries(
    coalitionsOf(modalities).map((those) => {
      const zeroInputs = modalities.filter((m) => !those.includes(m));
      const { logits } = zeroInputs.length === 0 ? full : pass.forward({ zeroInputs, training: false });
      return [those.join('+'), logits];
    }),
  );
  return { ...full, unimodalLogits: shapleyParts(modalities, coalitions), coalitions };
}
