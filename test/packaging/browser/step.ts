// Two steps of G2D on a backend, by everything that runs anywhere: what the test's page does.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-webgl';
import '@tensorflow/tfjs-backend-webgpu';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { accelerate } from '@g2d/accelerate';
import { isComponent, perModality } from '@g2d/core';
import { batches, fromSamples } from '@g2d/datasets';
import { featureDistillationLoss } from '@g2d/distill';
import { smallAudioEncoder, smallImageEncoder } from '@g2d/encoders';
import { decodeSafetensors, encodeSafetensors } from '@g2d/formats';
import { lateFusion, MultimodalModel } from '@g2d/fusion';
import { g2dDistillation, methods, modalityPrioritization } from '@g2d/methods';
import { SequentialModalityPrioritization } from '@g2d/smp';
import { deriveSeed, randomStream } from '@g2d/tensor-ops';
import { evaluate, frozenTeachers, inferenceOf, readState, train } from '@g2d/trainer';

const MODALITIES = ['audio', 'image'] as const;
type Modality = (typeof MODALITIES)[number];
const SHAPES = { audio: [16, 16, 1], image: [12, 12, 1] } as const;
const WIDTHS = { audio: 64, image: 32 };

/** What the steps came to. */
export interface Steps {
  readonly backend: string;
  /** Loss of each step, by part. */
  readonly losses: readonly Readonly<Record<string, number>>[];
  /** Sum of the absolute values of every weight. */
  readonly weights: Readonly<Record<string, number>>;
  readonly accuracy: Readonly<Record<string, number>>;
}

function modelOf<M extends Modality>(modalities: readonly M[], seed: number): MultimodalModel<M> {
  const encoder = { audio: smallAudioEncoder, image: smallImageEncoder };
  return new MultimodalModel<M>({
    encoders: perModality(modalities, (name) =>
      accelerate(encoder[name]({ name, inputShape: SHAPES[name], seed: deriveSeed(seed, name) })),
    ),
    fusion: lateFusion({ widths: perModality(modalities, (name) => WIDTHS[name]), classes: 3, seed }),
  });
}

async function steps(backend: string): Promise<Steps> {
  if (!(await tf.setBackend(backend))) throw new Error(`${backend} does not start.`);
  const random = randomStream(1);
  const numbers = (size: number): Float32Array => Float32Array.from({ length: size }, () => random.uniform());
  const dataset = fromSamples<Modality>({
    name: 'noise',
    split: 'train',
    classNames: ['a', 'b', 'c'],
    shapes: SHAPES,
    samples: Array.from({ length: 8 }, (_, i) => ({
      label: i % 3,
      inputs: { audio: numbers(16 * 16), image: numbers(12 * 12) },
    })),
  });
  const model = modelOf(MODALITIES, 1);
  const teachers = frozenTeachers<Modality>({ audio: modelOf(['audio'], 2), image: modelOf(['image'], 3) });
  const losses: Readonly<Record<string, number>>[] = [];
  await train<Modality>({
    model,
    methods: [
      g2dDistillation({ alpha: 1, beta: 1 }),
      modalityPrioritization({ phaseEpochs: [1, 1], scope: 'conv' }),
    ],
    teachers,
    epochs: 2,
    optimizer: { learningRate: 0.05, momentum: 0.9, weightDecay: 1e-4 },
    batches: (epoch, startBatch) => batches(dataset, { batchSize: 8, epoch, startBatch, shuffle: true }),
    onEpoch: ({ loss }) => void losses.push(loss),
  });
  const { accuracy } = await evaluate(inferenceOf(model), dataset);
  const state = decodeSafetensors(encodeSafetensors(readState(model)), 'state');
  const weights = Object.entries(state).map(
    ([name, { values }]) => [name, values.reduce((sum, value) => sum + Math.abs(value), 0)] as const,
  );
  return { backend: tf.getBackend(), losses, weights: Object.fromEntries(weights), accuracy };
}

/** As much of the page as it takes. */
interface Page {
  readonly location: { readonly search: string };
  fetch(path: string, request: { method: string; body: string }): void;
}
const page = globalThis as unknown as Page;
const post = (result: unknown): void =>
  page.fetch('/result', { method: 'POST', body: JSON.stringify(result) });

try {
  // What is only imported must be there too.
  if (
    !methods.some((one) => isComponent(one, 'stack')) ||
    !featureDistillationLoss ||
    !SequentialModalityPrioritization
  )
    throw new Error('A package lacks what it exports.');
  setWasmPaths('/');
  const all: Steps[] = [];
  for (const backend of new URLSearchParams(page.location.search).get('backends')!.split(','))
    all.push(await steps(backend));
  post(all);
} catch (error) {
  post({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}
