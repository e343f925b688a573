import type { FusionName, TorchTensor } from './torch-tensors.js';

export const modalities = ['audio', 'visual'] as const;
export type Modality = (typeof modalities)[number];

/** A tensor of a model and the range of its values. */
export interface TensorRecipe extends TorchTensor {
  readonly offset: number;
  readonly scale: number;
}

/** The tensors of one model; `prefix` goes before their names in the hash. */
export interface ModelRecipe {
  readonly prefix: string;
  readonly tensors: readonly TensorRecipe[];
}

/** A batch of inputs: PyTorch's shape (`[B, C, H, W]`, visual `[B, C, T, H, W]`) and the range of its values. */
export interface InputRecipe {
  readonly shape: readonly number[];
  readonly offset: number;
  readonly scale: number;
}

interface CaseHead {
  readonly id: string;
  readonly description: string;
  readonly seed: number;
}

/** One encoder: inference, a training pass with gradients, inference again. */
export interface EncoderCase extends CaseHead {
  readonly kind: 'encoder';
  readonly modality: Modality;
  readonly batch: number;
  readonly batchTag: string;
  readonly input: InputRecipe;
  readonly model: ModelRecipe;
}

/** SGD as PyTorch defines it. */
export interface OptimizerSettings {
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
  readonly dampening: number;
  readonly nesterov: boolean;
}

/** First and last epoch, both inside, counted from 0. */
export type EpochWindow = readonly [first: number, last: number];

export interface OgmSettings {
  readonly alpha: number;
  readonly window: EpochWindow;
  /** Only with OGM-GE. */
  readonly noiseScale?: number;
}

export interface G2DSettings {
  readonly alpha: number;
  readonly beta: number;
  readonly temperature: number;
  readonly window: EpochWindow;
}

export const methods = ['joint', 'ogm', 'ogm-ge', 'g2d'] as const;

export interface LabelledBatch {
  readonly batchTag: string;
  readonly labels: readonly number[];
}

export interface TrainStep extends LabelledBatch {
  /** Counted from 0. */
  readonly epoch: number;
}

/** A few optimizer steps of a student, then an evaluation. */
export interface TrainCase extends CaseHead {
  readonly kind: 'train';
  readonly method: (typeof methods)[number];
  /** With the methods `ogm` and `ogm-ge`. */
  readonly ogm?: OgmSettings;
  /** With the method `g2d`. */
  readonly g2d?: G2DSettings;
  /** With the method `g2d`. */
  readonly teachers?: Readonly<Record<Modality, ModelRecipe>>;
  readonly fusion: FusionName;
  readonly classes: number;
  readonly batch: number;
  readonly inputs: Readonly<Record<Modality, InputRecipe>>;
  readonly optimizer: OptimizerSettings;
  readonly steps: readonly TrainStep[];
  readonly evalBatch: LabelledBatch;
  readonly student: ModelRecipe;
}

/** Logits and features without a model. */
export interface LossTable {
  readonly batch: number;
  readonly classes: number;
  readonly logitScale: number;
  readonly temperatures: readonly number[];
  readonly features: number;
  readonly featureScale: number;
  readonly ogmAlphas: readonly number[];
  readonly labels: readonly number[];
}

/** Losses and scores alone. */
export interface LossesCase extends CaseHead {
  readonly kind: 'losses';
  readonly tables: readonly LossTable[];
}

/** What a `case.json` specifies. */
export type ParityCase = EncoderCase | TrainCase | LossesCase;
