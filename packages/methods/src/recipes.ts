import type { Recipe } from '@g2d/core';

// What `g2d methods NAME` tells of each method beside its options. Costs are counted in cost.test.ts. Published numbers are fused
// test accuracies of one seed, as the source has them.

const TABLE_1 = 'G2D, ICCV 2025, Table 1';
const TABLE_3 = 'G2D, ICCV 2025, Table 3';
const TABLE_11 =
  'G2D, ICCV 2025, Table 11; numbers of the other systems look taken over from earlier tables with other features';
const TABLE_4 = 'G2D, ICCV 2025, Table 4';

/** Every encoder once in each direction. */
const AS_JOINT = { forward: 1, backward: 1 } as const;

export const joint: Recipe = {
  formula: 'L = CE(z, y), for a regression the mean squared error of sigmoid(z)',
  cost: AS_JOINT,
  advice: [
    {
      claim:
        'where one modality learns faster the others stay behind: on CREMA-D its video head reaches 27.4 %, and the same encoder alone 76.5 %',
      source: TABLE_1,
    },
    {
      claim:
        'its number depends on fusion and frames more than those of most methods: on CREMA-D 51.7 % and 75.8 % are both reported. Compare with one that was trained in the same program',
      source: 'issues OGM-GE_CVPR2022 #34 and NeurIPS24-LFM #12',
    },
  ],
};

export const linearProbe: Recipe = {
  formula: 'L = CE(z, y), with heads "each" + Σ_m CE(u_m, y); the encoders are frozen',
  cost: { forward: 1, backward: 0, more: 'encoders are not differentiated; they come trained' },
  advice: [
    {
      claim:
        'a measure, not a way to train: says whether features that can be learned together alone matter, and so whether UMT or UME is to be chosen',
      source: 'Du et al., ICML 2023, abstract; the rule in the documentation of `linearProbe`',
    },
  ],
};

export const ume: Recipe = {
  formula: 'z = mean over m of u_m^T, of the modalities that a sample has',
  cost: { forward: 0, backward: 0, more: 'there are no steps: the teachers’ own training is all of it' },
  advice: [
    {
      claim: 'for data of which most can be learned from each modality alone',
      source: 'Du et al., ICML 2023, abstract',
    },
  ],
};

export const umt: Recipe = {
  formula: 'L = L_S + λ Σ_m D(f_m, f_m^T), D the mean of the squared differences or their sum',
  cost: AS_JOINT,
  advice: [
    {
      claim: 'where single modalities are learned too little, and what they say together matters as well',
      source: 'Du et al., ICML 2023, abstract',
    },
    {
      claim:
        'on CREMA-D it adds nothing (67.6 %, joint training 67.5 %), on VGGSound it comes next to G2D (53.8 %, joint training 51.0 %)',
      source: TABLE_1,
    },
    {
      claim:
        'with modality prioritization it gains: CREMA-D 82.4 % after 67.6 %, UR-FUNNY 64.6 % after 63.4 %',
      source: TABLE_4,
    },
  ],
};

export const gradientBlending: Recipe = {
  formula: 'L = w_0 CE(z, y) + Σ_m w_m CE(u_m, y), w_h ∝ G_h / O_h², Σ_h w_h = 1',
  cost: {
    ...AS_JOINT,
    more: 'the validation part is evaluated after every epoch; with fixed `weights` it need not be',
  },
  advice: [
    {
      claim:
        'where the multimodal network is worse than the best single one because modalities overfit at different rates, as in action recognition',
      source: 'Wang et al., CVPR 2020, abstract',
    },
  ],
};

export const ogm: Recipe = {
  formula: 'g ← κ_m g, κ_m = 1 − tanh(α ρ_m) where ρ_m = s_m / s_j > 1, else 1',
  cost: AS_JOINT,
  advice: [
    {
      claim:
        'the modality that is ahead is told by the softmax of the true class; α is to be chosen for each dataset, as only those of CREMA-D and VGGSound are published',
      source: 'issues OGM-GE_CVPR2022 #30 and #45',
    },
    {
      claim:
        'scope "conv" does nothing to Transformers and dense layers: the authors mean the backbone, which is scope "encoder"',
      source: 'issue OGM-GE_CVPR2022 #22',
    },
  ],
};

export const ogmGe: Recipe = {
  formula: 'g ← κ_m g + (std(g) + 1e-8) n, n ~ N(0, 1), κ_m as OGM has it',
  cost: AS_JOINT,
  advice: [
    {
      claim:
        'CREMA-D 72.2 % (joint training 67.5 %), AV-MNIST 71.1 % (69.8 %), VGGSound 51.5 % (51.0 %): a gain everywhere, and nowhere the largest',
      source: TABLE_1,
    },
    {
      claim: 'α is to be chosen for each dataset, as only those of CREMA-D and VGGSound are published',
      source: 'issues OGM-GE_CVPR2022 #30 and #45',
    },
  ],
};

export const agm: Recipe = {
  formula:
    'L = CE(Σ_m φ_m, y), ∂L/∂φ_m ← c_m ∂L/∂φ_m, φ_m the Shapley share of the logits, c_m = exp(α min(t_m − r_m, cap))',
  cost: { forward: 3, backward: 3, more: '2^k − 1 passes with k modalities: one for each set of them' },
  advice: [
    {
      claim: 'AV-MNIST 72.1 % (joint training 69.8 %), but VGGSound 47.1 % (51.0 %)',
      source: TABLE_1,
    },
    {
      claim:
        'long trainings: the authors’ numbers are of 800 to 1500 epochs, and users report less on CREMA-D even so',
      source: 'issues AGM_ICCV2023 #10 and #17',
    },
  ],
};

export const pmr: Recipe = {
  formula:
    'L = CE(z, y) + α Σ_m β_m CE(q_m, y), q_m[j] = −‖f_m − c_m,j‖, β_m = clip(max_j σ_j / σ_m − 1, 0, 1)',
  cost: {
    ...AS_JOINT,
    more: 'a forward pass over `share` of the batches before the training and after every epoch but the last, for the prototypes',
  },
  advice: [
    {
      claim:
        'AV-MNIST 71.8 % (joint training 69.8 %), but CREMA-D 59.1 % (67.5 %) and VGGSound, with 309 classes, 33.1 % (51.0 %)',
      source: TABLE_1,
    },
  ],
};

export const mslr: Recipe = {
  formula:
    'g ← a_m r_m(e) g for encoder and head of m, r_m(e + 1) = acc_m(e) / mean of acc_m in the epochs before, L = CE(z, y)',
  cost: {
    ...AS_JOINT,
    more: 'the validation part is evaluated after every epoch; with `strategy` "keep" or "smooth" it need not be',
  },
  advice: [
    {
      claim: 'AV-MNIST 70.6 % (joint training 69.8 %), VGGSound 51.0 % (51.0 %): little',
      source: TABLE_1,
    },
  ],
};

export const mses: Recipe = {
  formula:
    'L = CE(z, y) + Σ_m w_m CE(u_m, y); m stops, at its best weights, when its validation loss has not fallen for P epochs',
  cost: {
    ...AS_JOINT,
    more: 'no backward pass for a modality that has stopped; the validation part is evaluated after every epoch',
  },
  advice: [
    {
      claim:
        'AV-MNIST 70.7 % (joint training 69.8 %), VGGSound 50.8 % (51.0 %): little, and stopping is all that it does',
      source: `${TABLE_1}, by AGM’s code, here reference "official"`,
    },
  ],
};

export const qmf: Recipe = {
  formula: 'z = Σ_m c_m u_m, c_m = α log Σ_j exp(u_m,j), L = CE(z, y) + Σ_m CE(u_m, y) + λ Σ_m R_m',
  cost: AS_JOINT,
  advice: [
    {
      claim:
        'where the quality of a modality differs from sample to sample, as with noise: weights are those of each sample',
      source: 'Zhang et al., ICML 2023, abstract',
    },
  ],
};

export const olm: Recipe = {
  formula: 'L = Σ_h CE(w_h z_h, y), w ← Adam of ∂/∂w (L + Σ_h mean of |w_h ‖z_h‖ − n̄ r_h|)',
  cost: AS_JOINT,
  advice: [
    {
      claim:
        'where the logits of one modality grow longer than the others’; it goes with most multimodal networks',
      source: 'Zong et al., IJCAI 2024, abstract; README of the released code',
    },
  ],
};

export const mla: Recipe = {
  formula: 'for each m in turn: L_m = CE(h(f_m), y), a step of encoder m and of the head h that all share',
  cost: { ...AS_JOINT, more: 'k updates of the optimizer, each of one encoder and the head' },
  advice: [
    {
      claim: 'CREMA-D 79.7 % (joint training 67.5 %), VGGSound 51.7 % (51.0 %), but AV-MNIST 65.3 % (69.8 %)',
      source: TABLE_1,
    },
    {
      claim:
        'published numbers are of the alternation alone: the gradient projection of the released code never runs',
      source: 'released code, commit ab6c184, which looks for a parameter "module.weight"',
    },
  ],
};

export const mmPareto: Recipe = {
  formula:
    'g ← γ λ h, h = 2 a ∇CE(z, y) + 2 b ∇CE(u_m, y) for encoder m, a and b of least norm where the two conflict',
  cost: { forward: 2, backward: 2, more: 'for any number of modalities' },
  advice: [
    {
      claim: 'CREMA-D 75.1 % (joint training 67.5 %), AV-MNIST 72.6 % (69.8 %), but VGGSound 49.7 % (51.0 %)',
      source: TABLE_1,
    },
    {
      claim: 'users find about 69 % on CREMA-D: the preprocessing is not in the released code',
      source: 'issue MMPareto_ICML2024 #2',
    },
  ],
};

export const reconBoost: Recipe = {
  formula:
    'in turn: L = mean of (w_1 − w_2 p_−m[y]) / C · CE(u_m, y) + α ‖p_m − p_before‖² / C; then for all L = CE(b Σ_m u_m, y)',
  cost: {
    forward: [0.5, 1],
    backward: [0.5, 1],
    more: 'a boosting step differentiates one encoder of k, the others run once, but for the first stages from scratch; a rectifying step is one of joint training',
  },
  advice: [
    {
      claim: 'AV-MNIST 72.5 % (joint training 69.8 %)',
      source: TABLE_1,
    },
    {
      claim: 'UR-FUNNY with two modalities 62.1, 61.1 and 60.1 % (joint training 61.6, 62.2 and 62.1 %)',
      source: 'G2D, ICCV 2025, Table 2',
    },
    {
      claim: 'many stages: the authors advise 100 for MOSI and MOSEI',
      source: 'issue ReconBoost #1',
    },
  ],
};

export const diMml: Recipe = {
  formula:
    'L = Σ_m CE(g_m(f_m), y) + w Σ_m CE(g_s(f_m), y) + DUC, then a head on all features alone; z = Σ_h w_h z_h',
  cost: {
    forward: 1,
    backward: [0, 1],
    more: 'in the last `fusionEpochs` encoders are not differentiated; a forward pass over all samples, once, for the dimensions',
  },
  advice: [
    {
      claim:
        'CREMA-D 83.5 % (joint training 67.5 %), AV-MNIST 71.4 % (69.8 %); 83.5 % is no whole number of the 744 test clips, so it is of another test split',
      source: 'G2D, ICCV 2025, Table 8',
    },
  ],
};

const SMP_COST = {
  forward: 1,
  backward: [0.5, 1],
  more: 'one encoder of k is differentiated in a prioritized phase, all in the joint one; with scope "conv" all in both',
} as const;

export const modalityPrioritization: Recipe = {
  formula:
    'g ← κ_m g, in phase j κ = 1 for the j-th least confident teacher and 0 for the others, in the last 1 for all; ρ_m = mean of softmax(u_m^T)[y]',
  cost: SMP_COST,
  advice: [
    {
      claim: 'CREMA-D 80.8 % (joint training 67.5 %), AV-MNIST 72.5 % (69.8 %), UR-FUNNY 63.6 % (62.6 %)',
      source: TABLE_4,
    },
    {
      claim: 'complete suppression is better than partial: CREMA-D 85.9 % and 82.0 %',
      source: 'G2D, ICCV 2025, Table 6',
    },
    {
      claim: 'where teachers are about as sure the ranking changes from batch to batch: see `ranking`',
      source: 'Table 2: teachers of UR-FUNNY at 61.57, 58.25 and 61.77 %',
    },
  ],
};

export const g2dDistillation: Recipe = {
  formula: 'L = L_S + Σ_m α_m ‖f_m − f_m^T‖² + Σ_m β_m KL(softmax(u_m^T / T) ‖ softmax(z / T)) T²',
  cost: AS_JOINT,
  advice: [
    {
      claim: 'CREMA-D 78.6 % (joint training 67.5 %, UMT 67.6 %), AV-MNIST 72.8 % (69.8 %, 72.3 %)',
      source: 'G2D, ICCV 2025, Table 9',
    },
  ],
};

export const g2d: Recipe = {
  formula: `${g2dDistillation.formula}; ${modalityPrioritization.formula}`,
  cost: SMP_COST,
  advice: [
    {
      claim:
        'the best of twelve on CREMA-D (85.9 %, joint training 67.5 %), AV-MNIST (73.0 %, 69.8 %) and, by 0.04 points over UMT, VGGSound (53.8 %, 51.0 %)',
      source: TABLE_1,
    },
    {
      claim: 'long prioritized phases help on CREMA-D: 78.6 % without, 85.9 % with 150 epochs',
      source: 'G2D, ICCV 2025, Table 7',
    },
    {
      claim: 'for a regression too: a relative error of 7.0 % for soil moisture, joint training 14.6 %',
      source: TABLE_3,
    },
  ],
};

export const dlmg: Recipe = {
  formula:
    'L = c [w_c CE(z, y) + w_m A], A the mean over pairs of modalities of a contrastive loss of features or a divergence of predictions, w_m + w_c = 1',
  cost: {
    ...AS_JOINT,
    more: 'learned weights look at 16 samples once an epoch: two gradients and, with "learnable", a Hessian-vector product on plain layers',
  },
  advice: [
    {
      claim:
        'a user of the released code found 75.8 % without and 78.8 % with it on CREMA-D, less than the paper’s gain of about ten points',
      source: 'issue NeurIPS24-LFM #12',
    },
    {
      claim: 'the fitted weights are fitted to CREMA-D: take them nowhere else blindly',
      source: 'released code, NeurIPS24-LFM',
    },
  ],
};

export const greedy: Recipe = {
  formula:
    'L = Σ_m CE(u_m, y), u_m from features excited by the others; where conditional learning speeds differ by more than α, Q steps with the mean excitation',
  cost: { ...AS_JOINT, more: 'speeds are read off the gradients that are there' },
  advice: [
    {
      claim:
        'better generalization on Colored MNIST, ModelNet40 and NVIDIA Dynamic Hand Gesture, where models lean on one modality and conditional utilization is imbalanced',
      source: 'Wu et al., ICML 2022, abstract',
    },
  ],
};

export const diagnosingRelearning: Recipe = {
  formula:
    'L = CE(z, y); after every n epochs θ_m ← s_m θ_m⁰ + (1 − s_m) θ_m, s_m = tanh(λ |P_m(train) − P_m(validation)|)',
  cost: {
    ...AS_JOINT,
    more: 'a diagnosis reads the training and the validation split once and clusters their features',
  },
  advice: [
    {
      claim:
        'for data of which one modality has little to say: that one is not pushed, as by other methods, while encoders that have learned worse are helped',
      source: 'Wei et al., ECCV 2024, abstract',
    },
  ],
};

export const cra: Recipe = {
  formula: 'L = w CE(z, y) + λ Σ_m 1/d_m Σ_i (1 − M_im) ‖x̂_i^m − x_i^m‖²',
  cost: AS_JOINT,
  advice: [
    {
      claim:
        'on IEMOCAP 76.2, 67.3, 57.0 and 43.2 % with 0, 20, 40 and 60 % missing; joint training 75.5, 69.1, 61.1 and 52.4 %',
      source: TABLE_11,
    },
  ],
};

export const mmin: Recipe = {
  formula: 'L = w CE(z, y) + λ MSE(h′, t) + μ MSE(sg(h), h″), t the teacher’s features of the missing inputs',
  cost: AS_JOINT,
  advice: [
    {
      claim:
        'on IEMOCAP 74.9, 69.4, 63.3 and 57.5 % with 0, 20, 40 and 60 % missing; joint training 75.5, 69.1, 61.1 and 52.4 %',
      source: TABLE_11,
    },
  ],
};

export const cpmNet: Recipe = {
  formula:
    'recon = Σ_i Σ_m M_im ‖D_m(h_i) − x_i^m‖², class = Σ_i max(0, 1[argmax_c F_ic ≠ y_i] + max_c F_ic − F_i,y_i)',
  cost: {
    forward: 1,
    backward: 0,
    more: 'an epoch is one step for the whole training split: encoders do not change, decoders and latent vectors take many small steps in it',
  },
  advice: [
    {
      claim:
        'on IEMOCAP 58.0, 53.7, 51.0 and 47.4 % with 0, 20, 40 and 60 % missing, below joint training at each',
      source: TABLE_11,
    },
    {
      claim: 'a prediction is a fit: it costs many steps, and a class with one training sample is refused',
      source: 'released code, CPM_Nets',
    },
  ],
};

export const tate: Recipe = {
  formula:
    'L = Σ CE(z, y) + w ½ 10⁻⁴ (‖W‖² + ‖b‖²) + 0.1 (K(G, G*) + K(G*, G)) + 0.1 (K(R, N) + K(N, R)) + 0.1 mean |tag − sigmoid(tag′)|',
  cost: AS_JOINT,
  advice: [
    {
      claim:
        'on IEMOCAP 69.9, 63.2, 60.4 and 58.0 % with 0, 20, 40 and 60 % missing: below joint training where little is missing, above it at 60 %',
      source: TABLE_11,
    },
  ],
};

export const misMe: Recipe = {
  formula:
    'concat: L = MSE(z, y), z = head([f_1; …; f_k]); hybrid: L = δ MSE(z, y) + Σ_m w_m MSE(u_m, y); scalars: z = Σ_m a_m head_m(a_m f_m)',
  cost: AS_JOINT,
  advice: [
    {
      claim:
        'soil moisture from an image and a table: a relative error of 7.5 %, joint training 14.6 %, G2D 7.0 %',
      source: TABLE_3,
    },
  ],
};
