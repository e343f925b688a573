import { paperName } from '../data/paper-values.js';

/** Datasets by the folders of `examples`. */
const DATASETS: Readonly<Record<string, string>> = {
  'crema-d': 'CREMA-D',
  'av-mnist': 'AV-MNIST',
  'vgg-sound': 'VGGSound',
  'ur-funny': 'UR-FUNNY',
  iemocap: 'IEMOCAP',
  'mis-me': 'MIS-ME',
  'av-mnist-small': 'small AV-MNIST',
  'multiple-features': 'Multiple Features',
};

export const datasetName = (name: string): string => DATASETS[name] ?? name;

const FUSIONS: Readonly<Record<string, string>> = {
  sum: 'Summation',
  concat: 'Concatenation',
  film: 'FiLM',
  gated: 'BiGated',
  'cross-attention': 'Cross-attention',
  late: 'Late fusion',
};

export const fusionName = (name: string): string => FUSIONS[name] ?? name;

/** A method over a column. */
export const methodName = (name: string): string => (name === 'teacher' ? 'Teacher' : paperName(name));
