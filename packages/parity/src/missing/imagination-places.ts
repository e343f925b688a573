import type { MultimodalModel } from '@g2d/fusion';
import { ROWS, TORCH, type Place } from './held-tensors.js';

/** Where GCNet's and MMIN's networks are in our fusions. Those of a modality A are `netA`, and its decoder `netAA`. */
const NETWORKS: Readonly<Record<string, string>> = {
  netC: 'fusion/classifier',
  netAE: 'fusion/autoencoder',
  netAE_cycle: 'fusion/cycle',
};

/** Layers as PyTorch names them, in our encoders of sequences. */
const SEQUENCES: Readonly<Record<string, string>> = {
  'rnn.weight_ih_l0': 'input/kernel',
  'rnn.bias_ih_l0': 'input/bias',
  'rnn.weight_hh_l0': 'lstm/recurrent_kernel',
  'rnn.bias_hh_l0': 'lstm/bias',
  'embd.0.weight': 'embedding/kernel',
  'embd.0.bias': 'embedding/bias',
};

/**
 * Where a tensor of a CRA or MMIN case is in a model of ours.
 *
 * @param hidden How many hidden layers dense networks have, whose last one is `fc_out`.
 */
export function imaginationPlaces(
  model: MultimodalModel<string>,
  hidden: number,
): (name: string) => Place | undefined {
  const state = model.state();
  return (name) => {
    const [network = '', ...rest] = name.split('.');
    const path = rest.join('.');
    const modality = model.modalities.find((m) => `net${m}` === network);
    const decoded = model.modalities.find((m) => `net${m}${m}` === network);
    const own = modality ?? (decoded === undefined ? NETWORKS[network] : `head/${decoded}`);
    // Our encoders count activations, as PyTorch's sequences do; our dense networks do not.
    const layer = SEQUENCES[path] ?? layerOf(rest, hidden, modality === undefined ? 1 : 2);
    const weight = state.get(`${own}/${layer}`);
    return weight && { weight, layout: /^conv\d\.weight$/.test(path) ? ROWS : TORCH };
  };
}

/** `encoder_0.2.weight` is `encoder-0/1/kernel`: every other module of a sequence is an activation. */
function layerOf(path: readonly string[], hidden: number, stride: 1 | 2): string {
  const leaf = path.at(-1) === 'weight' ? 'kernel' : 'bias';
  const [module, index] = path as [string, string];
  if (module === 'fc_out') return `${hidden * stride}/${leaf}`;
  if (module.startsWith('conv')) return `${module}/${leaf}`;
  const place = (Number(index) / 2) * stride;
  return `${module === 'module' ? '' : `${module.replace('_', '-')}/`}${place}/${leaf}`;
}
