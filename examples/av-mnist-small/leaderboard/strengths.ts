// What is tuned of each method beside its learning rate, and what it cannot be trained without.
import { phases } from '../sweeps.js';

/** How a method takes part in the leaderboard; one that is not in the list has its defaults, and its learning rate is tuned. */
export interface Strength {
  /** Its option, after `methodOptions.`, such as `ogm.alpha`, and the two values that are tried. Absent: it has no strength. */
  readonly option?: string;
  readonly values?: readonly unknown[];
  /** Further settings of its runs. */
  readonly set?: Readonly<Record<string, unknown>>;
}

/** A part of the epochs, at least one. */
const part = (epochs: number, share: number): number => Math.max(1, Math.round(share * epochs));

/** The audio encoder has 64 features and the image encoder 32; where both have the same head, a linear layer takes the 64 to 32. */
const EQUALLY_WIDE = { 'encoders.audio.width': 32 };

/** ReconBoost's stages fill the training: the divisor of the epochs that is nearest to a sixth of them, half for each phase. */
function boostStages(epochs: number): Readonly<Record<string, number>> {
  const lengths = Array.from({ length: epochs - 1 }, (_, i) => i + 2).filter(
    (length) => epochs % length === 0,
  );
  const [stage = epochs] = lengths.sort((a, b) => Math.abs(a - epochs / 6) - Math.abs(b - epochs / 6));
  const boostEpochs = Math.floor(stage / 2);
  return {
    'methodOptions.recon-boost.boostEpochs': boostEpochs,
    'methodOptions.recon-boost.rectifyEpochs': stage - boostEpochs,
  };
}

/** Mostly the authors' values for different datasets. Schedules are parts of the epochs, so that all fit into the same number. */
export const strengths = (epochs: number): Readonly<Record<string, Strength>> => ({
  ume: { set: { epochs: 0 } },
  umt: { option: 'umt.lambda', values: [1, 10] },
  'gradient-blending': {
    option: 'gradient-blending.every',
    values: [part(epochs, 1 / 6), part(epochs, 1 / 3)],
  },
  ogm: { option: 'ogm.alpha', values: [0.8, 0.1] },
  'ogm-ge': { option: 'ogm-ge.alpha', values: [0.8, 0.1] },
  // Clipping as the released code has it for AV-MNIST; without it a factor of e^(α …) ends some trainings in infinities.
  agm: {
    option: 'agm.alpha',
    values: [2.5, 1.5],
    set: { 'methodOptions.agm.clip': { threshold: 1, maxNorm: 1 } },
  },
  pmr: { option: 'pmr.alpha', values: [1, 2] },
  mslr: {
    option: 'mslr.factors',
    values: [
      { audio: 1.3, image: 0.7 },
      { audio: 0.7, image: 1.3 },
    ],
  },
  mses: { option: 'mses.patience', values: [part(epochs, 1 / 6), part(epochs, 1 / 12)] },
  qmf: { option: 'qmf.lambda', values: [0.1, 1] },
  olm: { option: 'olm.weightRate', values: [1e-3, 1e-2] },
  mla: { option: 'mla.projection', values: [false, true], set: { 'methodOptions.mla.width': 32 } },
  'mm-pareto': { option: 'mm-pareto.gamma', values: [1.5, 1] },
  'recon-boost': {
    option: 'recon-boost.weight1',
    values: [5, 1],
    set: { ...EQUALLY_WIDE, ...boostStages(epochs) },
  },
  greedy: { option: 'greedy.window', values: [5, 10] },
  'diagnosing-relearning': {
    option: 'diagnosing-relearning.lambda',
    values: [3, 1],
    set: { 'methodOptions.diagnosing-relearning.every': part(epochs, 1 / 3) },
  },
  dlmg: {
    option: 'dlmg.matching',
    values: ['contrastive', 'divergence'],
    set: { 'methodOptions.dlmg.width': 32 },
  },
  'di-mml': {
    option: 'di-mml.temperature',
    values: [50, 10],
    set: {
      ...EQUALLY_WIDE,
      'methodOptions.di-mml.interactionAfter': part(epochs, 1 / 3),
      'methodOptions.di-mml.fusionEpochs': part(epochs, 1 / 3),
    },
  },
  smp: {
    option: 'smp.phaseEpochs',
    values: [phases(epochs, 1 / 2), phases(epochs, 1 / 4)],
    set: { 'methodOptions.smp.scope': 'conv' },
  },
  'g2d-loss': { option: 'g2d-loss.alpha', values: [1, 10] },
  g2d: {
    option: 'smp.phaseEpochs',
    values: [phases(epochs, 1 / 2), phases(epochs, 1 / 4)],
    set: { 'methodOptions.smp.scope': 'conv' },
  },
});
