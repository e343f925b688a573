import type { MultimodalModel } from '@g2d/fusion';
import { ROWS, TORCH, type Place } from './held-tensors.js';

/** Where GCNet's and MMIN's networks are in our models, by the beginning of the tensors' names; `netA` and `netAA` follow from the modality. */
const NETWORKS: Readonly<Record<string, string>> = {
  netC: 'fusion/classifier',
  netAE: 'fusion/autoencoder',
  netAE_cycle: 'fusion/cycle',
};

/** Parts of an LSTM as PyTorch names them, in ours. */
const LSTM: Readonly<Record<string, string>> = {
  'rnn.weight_ih_l0': 'input/kernel',
  'rnn.bias_ih_l0': 'input/bias',
  'rnn.weight_hh_l0': 'lstm/recurrent_kernel',
  'rnn.bias_hh_l0': 'lstm/bias',
};

/**
 * Where a tensor of a CRA or MMIN case is in a model of ours.
 *
 * @param hidden Hidden layers of the dense networks, which end with `fc_out`.
 */
export function imaginationPlaces(
  model: MultimodalModel<string>,
  hidden: number,
): (name: string) => Place | undefined {
  const state = model.state();
  const networkOf = (network: string): string | undefined => {
    const names = model.modalities.flatMap((m) => [
      [`net${m}`, m],
      [`net${m}${m}`, `head/${m}`],
    ]);
    return new Map<string, string>([...Object.entries(NETWORKS), ...(names as [string, string][])]).get(
      network,
    );
  };
  return (name) => {
    const [network, ...rest] = name.split('.') as [string, ...string[]];
    const own = LSTM[rest.join('.')] ?? layerOf(rest, hidden);
    const weight = state.get(`${networkOf(network)}/${own}`);
    return weight && { weight, layout: /^conv\d\.weight$/.test(rest.join('.')) ? ROWS : TORCH };
  };
}

/** `encoder_0.2.weight` is `encoder-0/1/kernel`: every other module of a sequence is an activation. */
function layerOf(path: readonly string[], hidden: number): string {
  const leaf = path.at(-1) === 'weight' ? 'kernel' : 'bias';
  const [module, index] = path as [string, string];
  if (module === 'fc_out') return `${hidden}/${leaf}`;
  if (module === 'embd') return `embedding/${leaf}`;
  if (module.startsWith('conv')) return `${module}/${leaf}`;
  const place = Number(index) / 2;
  return `${module === 'module' ? '' : `${module.replace('_', '-')}/`}${place}/${leaf}`;
}
