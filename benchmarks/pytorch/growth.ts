import type { StepNetwork } from '../../packages/bench/src/step-datasets.js';
import { networks } from './networks.js';
import type { Comparison, Program } from './programs.js';

const BATCHES = [1, 2, 4, 16, 64];
const MODALITIES = [1, 2, 3, 4, 5];
const LENGTHS = [20, 50, 100, 200, 500];
const THREADS = [1, 2];
/** Of the longest sequences 16 samples would take minutes. */
const BATCH_OF_LENGTHS = 4;

/** How a joint step's time and memory grow with the batch, the number of modalities, the length of sequences, the threads. */
export function growth(dataset: string): readonly Comparison[] {
  const network = networks[dataset] as StepNetwork;
  const series = [
    ...BATCHES.filter((batch) => batch >= leastBatch(network)).map((batch) =>
      comparison(dataset, network, { name: `batch ${batch}`, sizes: { batch } }),
    ),
    ...THREADS.map((threads) =>
      comparison(dataset, network, {
        name: threads === 1 ? '1 thread' : `${threads} threads`,
        sizes: { threads },
      }),
    ),
    ...MODALITIES.map((count) =>
      comparison(dataset, withModalities(network, count), {
        name: count === 1 ? '1 modality' : `${count} modalities`,
      }),
    ),
  ];
  const { length } = costliestOf(network);
  if (length === undefined) return series;
  const lengths = LENGTHS.map((steps) =>
    comparison(dataset, withModalities(network, 1, steps), {
      name: `1 modality, batch ${BATCH_OF_LENGTHS}, length ${steps}`,
      sizes: { batch: BATCH_OF_LENGTHS },
    }),
  );
  return [...series, ...lengths];
}

const costliestOf = ({ modalities, costliest }: StepNetwork): StepNetwork['modalities'][string] =>
  modalities[costliest] as StepNetwork['modalities'][string];

/**
 * How few samples can be trained on: of an image that ends as one pixel, halved five times, batch normalization sees one value a sample, and neither
 * PyTorch nor we train it on one alone.
 */
const leastBatch = ({ modalities }: StepNetwork): number =>
  Object.values(modalities).some(
    ({ shape }) => shape.length === 3 && shape.slice(0, 2).every((size) => size !== null && size <= 32),
  )
    ? 2
    : 1;

/** So many of the costliest modality, perhaps of another length. */
function withModalities(network: StepNetwork, count: number, length?: number): StepNetwork {
  const modality = { ...costliestOf(network), ...(length !== undefined && { length }) };
  const names = Array.from({ length: count }, (_, i) => `${network.costliest}${i + 1}`);
  return {
    ...network,
    modalities: Object.fromEntries(names.map((name) => [name, modality])),
    costliest: names[0] as string,
  };
}

function comparison(
  dataset: string,
  network: StepNetwork,
  { name, sizes }: { readonly name: string; readonly sizes?: NonNullable<Program['sizes']> },
): Comparison {
  const program = (side: Program['side']): Program => ({
    name: `${network.title}, ${side === 'ours' ? 'ours' : 'PyTorch'}: ${name}`,
    side,
    network,
    args: [],
    ...(sizes && { sizes }),
  });
  return {
    dataset,
    name,
    ours: { name: 'ours', programs: [program('ours')] },
    against: [{ name: 'PyTorch', programs: [program('pytorch')] }],
  };
}
