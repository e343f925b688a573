import { defineMethod, perModality, type Hooks, type Training } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';
import type { z } from 'zod';
import { assertTraining } from './dlmg-checks.js';
import { LEARNING, options } from './dlmg-options.js';
import { drawHeld } from './held-samples.js';
import { exactGradient, releasedGradient, type WeightGradient } from './learned-weights.js';
import { matchedFusion } from './matched-fusion.js';
import { matchingLoss, unmatched, type Matching } from './matching-loss.js';
import { fittedWeights, heuristicWeights, type MatchingWeights } from './matching-weights.js';
import * as recipes from './recipes.js';

interface State {
  /** Of the coming epoch, where they are learned or fixed. */
  weights: MatchingWeights;
  /** Of the weights. */
  rate: number;
  /** Samples that leave the training. */
  held: readonly string[];
  /** What the weights moved by; `null` if they could not. */
  update: WeightGradient | null;
}

/**
 * DLMG, also called LFM: the modalities of a sample are matched with each other while they learn, first more and later less.
 *
 * L = c [w_c CE(z, y) + w_m A],  z = (1/k) Σ_m u_m,  A the mean over all pairs of modalities of
 * `contrastive`: ½ mean_i [−log softmax_j(s_ij)[i] − log softmax_j(s_ji)[i]], s_ij = cos(f_a,i, f_b,j) / τ, or
 * `divergence`: ½ [KL(m‖p) + KL(m‖q)], p, q = softmax(u_a), softmax(u_b), m = (p + q) / 2
 *
 * w_m, w_c = 1 − w_m: `heuristic` 1 − exp(−1/t), epoch t; `fitted` a polynomial of the epoch; `learnable`: before each epoch w_m ← clip(w_m − η mean q), q the
 * Hessian of L / c times ∇CE on samples that are held out, in one parameter alone; `learnable-exact`: w_m ← clip(w_m − η ∂CE(θ − η_θ ∇L) / ∂w_m), which
 * needs no Hessian. What `reference: 'official'` changes: c is 2, not 1; the divergence is the default; only the first half of the held samples is used; the first
 * update runs on batch statistics and moves the running ones; fitted weights leave [0, 1] in epochs 178 to 189.
 *
 * The hook `fusion` makes a late fusion; any other will do. With presence masks a pair is over the samples that have both. With w_c = c = 1 and w_m = 0 (`fixed`) a
 * step is that of joint training, bit for bit. The log has `matchingWeight`, `unmatched` (1 where no two samples of a batch could be matched), and of learned
 * weights `weightGradient` and `skippedUpdate`.
 *
 * @throws {OptionError} If an option is not accepted; as the training begins, for the divergence of a regression, for more epochs than were fitted, for samples to
 * hold out that are all there are, or without `everySample`; if features that are compared are not equally wide.
 * @example
 * await train({ model, methods: [dlmg({ matching: 'divergence' })], … }); // its fusion: dlmg().fusion({ widths, classes, seed })
 * @see Yang et al., Facilitating Multimodal Classification via Dynamically Learning Modality Gap (NeurIPS 2024); released code
 */
export const dlmg = defineMethod({
  name: 'dlmg',
  label: 'DLMG',
  summary: 'matches the modalities of a sample with each other, first more and later less',
  source: { paper: 'Yang et al., NeurIPS 2024', code: 'NeurIPS24-LFM ad44fa0' },
  recipe: recipes.dlmg,
  needs: { modalities: { min: 2 } },
  options,
  create: <M extends string>(own: z.output<typeof options>): Hooks<M, State> => {
    const { schedule, reference, start = { classification: 0.05, matching: 0.95 } } = own;
    const { learning = LEARNING } = own;
    const official = reference === 'official';
    const { matching: form = official ? 'divergence' : 'contrastive', temperature = 1 } = own;
    const { factor = official ? 2 : 1 } = own;
    const matching: Matching = { form, temperature };
    const learns = schedule === 'learnable' || schedule === 'learnable-exact';
    const [floor, ceiling] = learning.range;

    const weightsOf = (epoch: number, { weights }: State): MatchingWeights => {
      if (schedule === 'heuristic') return heuristicWeights(epoch);
      if (schedule !== 'fitted') return weights;
      const fitted = fittedWeights(epoch);
      if (official) return fitted;
      const classification = Math.min(1, Math.max(0, fitted.classification));
      return { classification, matching: 1 - classification };
    };

    /** The weights of an epoch, from 1, before it trains. */
    const learn = async (training: Training<M>, epoch: number, state: State): Promise<void> => {
      if (epoch > 1 && (epoch - 1) % learning.halvedEvery === 0) state.rate /= 2;
      const { used = official ? Math.max(1, Math.floor(state.held.length / 2)) : state.held.length } =
        learning;
      const problem = { weights: state.weights, matching, factor, ids: state.held.slice(0, used) };
      const { parameter } = learning;
      const found =
        schedule === 'learnable'
          ? await releasedGradient(training, problem, { parameter, trains: official && epoch === 1 })
          : await exactGradient(training, problem, { epoch, held: state.held });
      state.update = found && Number.isFinite(found.gradient) ? found : null;
      if (!state.update) return;
      const moved = state.weights.matching - state.rate * state.update.gradient;
      const w = Math.min(ceiling, Math.max(floor, moved));
      state.weights = { classification: 1 - w, matching: w };
    };

    return {
      fusion: (given) => matchedFusion(given, { form, width: own.width }),
      async init(training) {
        assertTraining(training, own, form);
        const held = learns ? await drawHeld(training, learning.held) : [];
        const state: State = { weights: start, rate: learning.rate, held, update: null };
        if (learns) await learn(training, 1, state);
        return state;
      },
      withheld: ({ held }) => held,
      loss(outputs, step, state) {
        const { classification, matching: w } = weightsOf(step.epoch, state);
        const of = (value: number) => perModality(step.model.modalities, () => value);
        step.log({ matchingWeight: of(w), unmatched: unmatched(step, matching) });
        if (learns)
          step.log({
            weightGradient: of(state.update?.gradient ?? NaN),
            skippedUpdate: of(Number(!state.update)),
          });
        const student = step.taskLoss(outputs.logits);
        const scaled = tf.mul<tf.Scalar>(student, factor * classification);
        // Not 0 · A: joint training has no such term.
        if (w === 0) return { student, total: scaled };
        const A = matchingLoss(outputs, step, matching);
        return { student, matching: A, total: tf.add(scaled, tf.mul(A, factor * w)) };
      },
      async epoch({ epoch }, training, state) {
        // After the last one too: the run may get more.
        if (learns) await learn(training, epoch + 1, state);
      },
    };
  },
});
