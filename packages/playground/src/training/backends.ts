// Where to train: every backend that is here trains a few steps of these very networks, and the fastest is taken.
import * as tf from '@tensorflow/tfjs-core';
import plain from '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm.wasm?url';
import simd from '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm?url';
import threaded from '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.wasm?url';
import { startWasm } from '@g2d/accelerate/wasm';
import { train } from '@g2d/trainer';
import type { BackendReport, BackendTrial } from '../protocol.js';
import type { BackendChoice } from '../settings.js';
import { buildModel } from './model.js';
import { MODALITIES, type Modality } from './names.js';
import { BATCH_SIZE, optimizerFor } from './recipe.js';

type Backend = BackendTrial['backend'];

/** In the order in which they are tried: the first is ready soonest. */
const ORDER: readonly Backend[] = ['wasm', 'webgpu', 'webgl', 'cpu'];

const WARM_UP = 2;
const MEASURED = 4;

/** Renderers that are programs: they draw on the processor, where WebAssembly is faster, and take seconds to begin. */
const SOFTWARE = /swiftshader|llvmpipe|software|basic render/i;

/**
 * Chooses a backend and begins to use it.
 *
 * @param wanted `auto`, or the one that the user asks for: it is taken if it works.
 * @param without Backends that have failed.
 * @throws {Error} If none works.
 */
export async function chooseBackend(
  wanted: BackendChoice,
  {
    threads,
    without = [],
    progress = () => {},
  }: {
    readonly threads: number;
    readonly without?: readonly Backend[];
    readonly progress?: (text: string) => void;
  },
): Promise<BackendReport> {
  const candidates = ORDER.filter((backend) => !without.includes(backend));
  const trials: BackendTrial[] = [];
  const forced = candidates.find((backend) => backend === wanted);
  if (forced) {
    progress(`Starting ${LABELS[forced]} …`);
    trials.push(...(await trial(forced, { forced: true, threads })));
  }
  if (trials.every(({ milliseconds }) => milliseconds === undefined)) {
    for (const backend of candidates) {
      if (backend === forced) continue;
      // Plain JavaScript is many times slower: for where there is nothing else.
      if (backend === 'cpu' && trials.some(({ milliseconds }) => milliseconds !== undefined)) continue;
      progress(`Measuring a step on ${LABELS[backend]} …`);
      const best = Math.min(...trials.map(({ milliseconds = Infinity }) => milliseconds));
      trials.push(...(await trial(backend, { forced: false, threads, best })));
    }
  }
  const [best] = trials
    .filter((one): one is BackendTrial & { milliseconds: number } => one.milliseconds !== undefined)
    .sort((a, b) => a.milliseconds - b.milliseconds);
  if (!best) {
    const reasons = trials.map(({ backend, problem }) => `${LABELS[backend]}: ${problem}`).join('; ');
    throw new Error(`Nothing here can train (${reasons}). Try a current Chrome, Edge, Firefox or Safari.`);
  }
  const { problems = [] } = (await use(best.backend, best.threads)) || {};
  const hasSimd = (await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT')) as boolean;
  // Why a page is not isolated the page itself knows better, and has said.
  return {
    chosen: best,
    trials,
    simd: hasSimd,
    problems: hasSimd && !crossOriginIsolated ? [] : problems,
  };
}

export const LABELS: Readonly<Record<Backend, string>> = {
  webgpu: 'WebGPU',
  webgl: 'WebGL',
  wasm: 'WebAssembly',
  cpu: 'plain JavaScript',
};

const FILES = {
  'tfjs-backend-wasm.wasm': plain,
  'tfjs-backend-wasm-simd.wasm': simd,
  'tfjs-backend-wasm-threaded-simd.wasm': threaded,
};

/** What is known of a backend that has started. */
interface Started {
  /** Of WebAssembly: TensorFlow.js may take fewer than it is told. */
  readonly threads?: number;
  readonly problems?: readonly string[];
}

/** Makes a backend the present one; `false` if it does not start. */
async function use(backend: Backend, threads = 1): Promise<Started | false> {
  return backend === 'wasm' ? startWasm({ files: FILES, threads }) : (await tf.setBackend(backend)) && {};
}

/** One trial, of WebAssembly one for each number of threads that may be best: with some, and with one. */
async function trial(
  backend: Backend,
  {
    forced,
    threads,
    best = Infinity,
  }: { readonly forced: boolean; readonly threads: number; readonly best?: number },
): Promise<readonly BackendTrial[]> {
  const counts =
    backend !== 'wasm'
      ? [undefined]
      : threads > 1 && (await tf.env().getAsync('WASM_HAS_MULTITHREAD_SUPPORT'))
        ? [1, threads]
        : [1];
  const trials: BackendTrial[] = [];
  for (const count of counts) {
    let named: BackendTrial = { backend, ...(count !== undefined && { threads: count }) };
    try {
      const problem = (await missing(backend)) ?? (forced ? undefined : await software(backend));
      const started = problem === undefined && (await use(backend, count));
      if (!started) {
        trials.push({ ...named, problem: problem ?? 'does not start' });
        continue;
      }
      named = { ...named, ...(started.threads !== undefined && { threads: started.threads }) };
      // The same once more.
      if (trials.some((one) => one.threads !== undefined && one.threads === named.threads)) continue;
      if (!(await readsAtOnce())) throw new Error('gives wrong numbers here');
      const known = trials.map(({ milliseconds = Infinity }) => milliseconds);
      trials.push({ ...named, milliseconds: await millisecondsOfStep(Math.min(best, ...known)) });
    } catch (error) {
      trials.push({ ...named, problem: error instanceof Error ? error.message : String(error) });
    }
  }
  return trials;
}

/** A step reads numbers in its middle. WebGPU does so by way of a canvas, and where that one has no memory gives zeros without a word. */
async function readsAtOnce(): Promise<boolean> {
  const squares = [0, 1].map(() =>
    tf.tidy(() => {
      const x = tf.randomUniform([64, 64], 1, 2, 'float32', 1);
      return tf.matMul(x, x);
    }),
  ) as [tf.Tensor, tf.Tensor];
  const [atOnce, later] = [squares[0].dataSync(), await squares[1].data()];
  tf.dispose(squares);
  return atOnce.every((value, i) => value === later[i]);
}

/** As much of the browser's graphics as it takes to know what is there. */
interface Graphics {
  readonly gpu?: {
    requestAdapter(): Promise<{
      readonly info?: {
        readonly description?: string;
        readonly architecture?: string;
        readonly isFallbackAdapter?: boolean;
      };
    } | null>;
  };
}

async function missing(backend: Backend): Promise<string | undefined> {
  if (backend === 'webgpu') {
    const { gpu } = navigator as Graphics;
    if (!gpu || !(await gpu.requestAdapter())) return 'not in this browser';
    await import('@tensorflow/tfjs-backend-webgpu');
  }
  if (backend === 'webgl') {
    if (!drawing()) return 'not in this browser';
    await import('@tensorflow/tfjs-backend-webgl');
  }
  if (backend === 'cpu') await import('@tensorflow/tfjs-backend-cpu');
  if (backend === 'wasm' && typeof WebAssembly !== 'object') return 'not in this browser';
  return undefined;
}

async function software(backend: Backend): Promise<string | undefined> {
  let renderer = '';
  if (backend === 'webgpu') {
    const info = (await (navigator as Graphics).gpu?.requestAdapter())?.info;
    if (info?.isFallbackAdapter) renderer = 'software';
    else renderer = `${info?.architecture} ${info?.description}`;
  }
  if (backend === 'webgl') {
    const context = drawing();
    const extension = context?.getExtension('WEBGL_debug_renderer_info');
    renderer = String(context?.getParameter(extension?.UNMASKED_RENDERER_WEBGL ?? context.RENDERER));
  }
  return SOFTWARE.test(renderer) ? 'has no graphics processor here' : undefined;
}

const drawing = (): WebGL2RenderingContext | null =>
  typeof OffscreenCanvas === 'function' ? new OffscreenCanvas(1, 1).getContext('webgl2') : null;

/** A step that takes so many times as long as the best of another backend needs no second look. */
const HOPELESS = 3;

/**
 * Mean time of a joint training step, after two that make everything ready.
 *
 * @param best Of what was measured before.
 */
async function millisecondsOfStep(best: number): Promise<number> {
  const model = buildModel({ modalities: MODALITIES, seed: 0 });
  const zeros = async function* () {
    for (let i = 0; i < WARM_UP + MEASURED; i++) {
      yield {
        inputs: {
          audio: tf.randomUniform([BATCH_SIZE, 56, 56, 1], 0, 1, 'float32', 1),
          image: tf.randomUniform([BATCH_SIZE, 28, 28, 1], 0, 1, 'float32', 1),
        },
        labels: tf.tensor1d(
          Array.from({ length: BATCH_SIZE }, (_, row) => row % 10),
          'int32',
        ),
        ids: Array.from({ length: BATCH_SIZE }, (_, row) => String(row)),
      };
    }
  };
  let steps = 0;
  let started = 0;
  let last = performance.now();
  try {
    await train<Modality>({
      model,
      methods: [],
      epochs: 1,
      optimizer: optimizerFor(1),
      batches: zeros,
      afterStep: async () => {
        // What the step has left to compute.
        await model.parameters.at(-1)?.variable.data();
        const now = performance.now();
        const step = now - last;
        last = now;
        if (++steps === WARM_UP) started = now;
        if (steps < WARM_UP || step < HOPELESS * best) return undefined;
        started = now - MEASURED * step;
        return 'stop';
      },
    });
    return (last - started) / MEASURED;
  } finally {
    for (const weight of model.state().values()) weight.dispose();
  }
}
