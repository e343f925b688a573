import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readLibrary } from './cache.js';
import { checkKeys, firstLine, NativeError } from './errors.js';
import { currentHost, describeHost, isSupported, isUntried, type Host } from './host.js';
import { loadKernels } from './kernels.js';
import { linkFile, readPlaced } from './place.js';
import { processor, type Processor } from './processor.js';
import { findTfjsNodes, type TfjsNode } from './project.js';
import { repairConcat, repairRound, roundIsBroken } from './repair-kernels.js';
import { applyShims } from './shims.js';
import { resolveWasm } from './wasm.js';

/** TensorFlow.js as `import * as tf from '@tensorflow/tfjs'` gives it. */
export type TensorFlow = typeof import('@tensorflow/tfjs');

/** The backends that can be asked for, fastest first. */
export const backendNames = ['tensorflow', 'wasm', 'cpu'] as const;

/** `tensorflow`: the native library; `wasm`: WebAssembly; `cpu`: plain JavaScript. */
export type BackendName = (typeof backendNames)[number];

/** What {@link loadTensorFlow} is asked to do. */
export interface LoadOptions {
  /** This backend or an error. Default: the fastest that is present. The variable `G2D_BACKEND` goes before it. */
  readonly backend?: BackendName;
  /** Prints nothing. Default false: one line on standard error says which backend it is and why. */
  readonly quiet?: boolean;
}

/** What computes in this process. */
export interface RuntimeInfo {
  readonly backend: BackendName;
  readonly device: 'gpu' | 'cpu';
  /** Version of the TensorFlow library; null on the other backends. */
  readonly tensorflow: string | null;
  /** Version of TensorFlow.js. */
  readonly tfjs: string;
  /** Version of Node, without `v`. */
  readonly node: string;
  /** Decides on the last bits of results, and on whether bfloat16 can be had. */
  readonly processor: Processor;
  /** Why it is this backend, as a part of a sentence: `it is the fastest one present`. */
  readonly reason: string;
}

/** Where a program runs; tests give their own. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly host: Host;
  /** Folders from which packages are resolved, in this order. */
  readonly folders: readonly string[];
  readonly print: (line: string) => void;
}

interface Loaded {
  readonly tf: TensorFlow;
  readonly info: RuntimeInfo;
}

// The engine of TensorFlow.js is one per process, so what was chosen is too: also when our ES module and our CommonJS
// build are both loaded.
const shared = globalThis as { [key: symbol]: { loaded?: Loaded; pending?: Promise<unknown> } | undefined };
const state = (shared[Symbol.for('@g2d/native.runtime')] ??= {});

/**
 * Loads TensorFlow.js with the fastest backend that is present: the TensorFlow library (on a GPU where there is one),
 * WebAssembly, plain JavaScript. It does not fail because a faster one is missing or broken; the line that it prints says
 * why. The same TensorFlow.js is seen by everything else in the process that imports `@tensorflow/tfjs`.
 *
 * @throws {NativeError} `G2D_NATIVE_BACKEND_MISSING` if a backend was asked for by `backend` or `G2D_BACKEND` and cannot
 *   be had, or `@tensorflow/tfjs` itself is missing; `G2D_NATIVE_OPTION` for a name that is not a backend.
 * @example
 * const tf = await loadTensorFlow();
 * tf.tensor1d([1, 2, 3]).sum().print(); // 6
 */
export async function loadTensorFlow(options: LoadOptions = {}): Promise<TensorFlow> {
  checkKeys(options, { backend: true, quiet: true });
  // One at a time: a second caller must not see a backend that is half set up.
  const result = (state.pending ?? Promise.resolve()).then(() => load(options, currentSurroundings()));
  state.pending = result.catch(() => {});
  return result;
}

/** What the last {@link loadTensorFlow} chose, or null before it. */
export function runtimeInfo(): RuntimeInfo | null {
  return state.loaded?.info ?? null;
}

function currentSurroundings(): Surroundings {
  return {
    env: process.env,
    host: currentHost(),
    folders: [process.cwd(), dirname(fileURLToPath(import.meta.url))],
    print: (line) => void process.stderr.write(`${line}\n`),
  };
}

/** {@link loadTensorFlow} in given surroundings. */
export async function load(options: LoadOptions, surroundings: Surroundings): Promise<TensorFlow> {
  const forced = forcedBackend(options, surroundings.env);
  const { loaded } = state;
  if (loaded && (!forced || forced.name === loaded.info.backend)) {
    // Somebody may have switched in between; who asks for the backend gets it.
    if (loaded.tf.getBackend() !== loaded.info.backend) await loaded.tf.setBackend(loaded.info.backend);
    return loaded.tf;
  }
  const next = forced ? await loadForced(forced, surroundings) : await loadBest(surroundings);
  state.loaded = next;
  if (!options.quiet) surroundings.print(describeRuntime(next.info));
  return next.tf;
}

/** The line that says what computes and why. */
export function describeRuntime({ backend, device, tensorflow, reason }: RuntimeInfo): string {
  const what = tensorflow ? ` (TensorFlow ${tensorflow}, ${device === 'gpu' ? 'GPU' : 'CPU'})` : '';
  return `g2d: backend ${backend}${what}, because ${reason}`;
}

interface Forced {
  readonly name: BackendName;
  readonly by: string;
}

function forcedBackend(options: LoadOptions, env: NodeJS.ProcessEnv): Forced | null {
  const fromEnv = env['G2D_BACKEND'];
  const name = fromEnv || options.backend;
  if (!name) return null;
  const by = fromEnv ? 'G2D_BACKEND' : 'the option `backend`';
  if ((backendNames as readonly string[]).includes(name)) return { name: name as BackendName, by };
  throw new NativeError(
    'G2D_NATIVE_OPTION',
    `${by} is "${name}", which is not a backend. It can be ${backendNames.join(', ')}; without it, the fastest one that is ` +
      'present is taken.',
    { option: by, value: name, accepted: backendNames },
  );
}

async function loadForced({ name, by }: Forced, surroundings: Surroundings): Promise<Loaded> {
  const result = await loaders[name](surroundings);
  if (typeof result !== 'string') return finish(result, name, `${by} asks for it`);
  const advice: Record<BackendName, string> = {
    tensorflow: isSupported(surroundings.host)
      ? 'Run npx g2d-native install, or npx g2d-native doctor to see what is wrong'
      : `There is no usable TensorFlow wheel for ${describeHost(surroundings.host)}; install @tensorflow/tfjs-node where its own installer works`,
    wasm: 'Run npm install @tensorflow/tfjs-backend-wasm',
    cpu: 'Run npm install @tensorflow/tfjs',
  };
  throw new NativeError(
    'G2D_NATIVE_BACKEND_MISSING',
    `${by} asks for the backend ${name}, but ${result}. ${advice[name]}; without ${by} the fastest one that is present is taken.`,
    { backend: name, by, reason: result },
  );
}

async function loadBest(surroundings: Surroundings): Promise<Loaded> {
  const tensorflow = await loaders.tensorflow(surroundings);
  if (typeof tensorflow !== 'string')
    return finish(tensorflow, 'tensorflow', 'it is the fastest one present');
  const { host } = surroundings;
  const advice = isUntried(host)
    ? `; npx g2d-native install tests it, which was never tried on ${describeHost(host)}`
    : isSupported(host)
      ? `; npx g2d-native install ${tensorflow === notInstalled ? 'makes training several times as fast' : 'repairs it'}`
      : `; there is no usable TensorFlow wheel for ${describeHost(host)}`;
  const wasm = await loaders.wasm(surroundings);
  if (typeof wasm !== 'string') return finish(wasm, 'wasm', `${tensorflow}${advice}`);
  const cpu = await loaders.cpu(surroundings);
  if (typeof cpu !== 'string') return finish(cpu, 'cpu', `${tensorflow}, and ${wasm}${advice}`);
  throw new NativeError(
    'G2D_NATIVE_BACKEND_MISSING',
    `No backend can be loaded: ${cpu}. Run npm install @tensorflow/tfjs.`,
    {
      tensorflow,
      wasm,
      cpu,
    },
  );
}

function finish(tf: TensorFlow, backend: BackendName, reason: string): Loaded {
  const native = backend === 'tensorflow' ? nativeBackend(tf) : null;
  return {
    tf,
    info: {
      backend,
      device: native?.isUsingGpuDevice ? 'gpu' : 'cpu',
      tensorflow: native?.binding.TF_Version ?? null,
      tfjs: tf.version.tfjs,
      node: process.versions.node,
      processor: processor(),
      reason,
    },
  };
}

const notInstalled = 'TensorFlow is not installed';

interface NativeBackend {
  readonly isUsingGpuDevice: boolean;
  readonly binding: { readonly TF_Version: string };
}

const nativeBackend = (tf: TensorFlow) => tf.backend() as unknown as NativeBackend;

/** Each gives TensorFlow.js with its backend set, or says why it cannot, as a part of a sentence. */
const loaders: Record<BackendName, (surroundings: Surroundings) => Promise<TensorFlow | string>> = {
  async tensorflow(surroundings) {
    let why = notInstalled;
    for (const tfjs of surroundings.folders.flatMap(findTfjsNodes)) {
      // Looked at before loading: tfjs-node answers a missing add-on with a page of advice that does not apply.
      const missing = missingPart(tfjs);
      if (missing) {
        why = missing;
        continue;
      }
      const result = await loadNative(tfjs, surroundings);
      if (typeof result !== 'string') return result;
      why = result;
    }
    return why;
  },

  async wasm(surroundings) {
    try {
      const tf = requireTfjs(surroundings);
      const require = createRequire(import.meta.url);
      const folder = resolveWasm(require);
      if (!folder) return '@tensorflow/tfjs-backend-wasm is not installed';
      const wasm = require('@tensorflow/tfjs-backend-wasm') as { setWasmPaths(folder: string): void };
      if (!tf.findBackend('wasm')) wasm.setWasmPaths(folder);
      return await use(tf, 'wasm');
    } catch (error) {
      return `WebAssembly could not be started (${firstLine(error)})`;
    }
  },

  async cpu(surroundings) {
    try {
      const tf = await use(requireTfjs(surroundings), 'cpu');
      // Its first operation would print a banner that recommends tfjs-node; our line has said what there is to say.
      (tf.backend() as { firstUse?: boolean }).firstUse = false;
      return tf;
    } catch (error) {
      return `TensorFlow.js could not be loaded (${firstLine(error)})`;
    }
  },
};

function missingPart(tfjs: TfjsNode): string | null {
  const lib = join(tfjs.folder, 'lib');
  const built =
    existsSync(lib) &&
    readdirSync(lib).some(
      (name) => name.startsWith('napi-v') && existsSync(join(lib, name, 'tfjs_binding.node')),
    );
  if (!built) return notInstalled;
  if (readPlaced(tfjs) && !readLibrary(linkFile(tfjs)))
    return 'the cached TensorFlow library is gone or incomplete';
  return null;
}

async function loadNative(tfjs: TfjsNode, { env }: Surroundings): Promise<TensorFlow | string> {
  applyShims();
  // Read by the library while it loads: 3 hides its start-up notes, not its errors' effects.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '3';
  // Else TensorFlow takes nearly all memory of a GPU at its start, and the next program on it finds none.
  if (readPlaced(tfjs)?.variant === 'gpu') env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true';
  try {
    const tf = createRequire(import.meta.url)(tfjs.folder) as TensorFlow;
    await use(tf, 'tensorflow');
    if (roundIsBroken(nativeBackend(tf).binding.TF_Version)) repairRound(tf);
    repairConcat(tf);
    loadKernels(tfjs, env);
    return tf;
  } catch (error) {
    return `TensorFlow is installed but does not load (${firstLine(error)})`;
  }
}

function requireTfjs({ folders }: Surroundings): TensorFlow {
  for (const folder of folders) {
    const require = createRequire(join(folder, 'package.json'));
    try {
      require.resolve('@tensorflow/tfjs');
    } catch {
      continue;
    }
    return require('@tensorflow/tfjs') as TensorFlow;
  }
  throw new Error('@tensorflow/tfjs is not installed');
}

async function use(tf: TensorFlow, backend: BackendName): Promise<TensorFlow> {
  if (!(await tf.setBackend(backend)))
    throw new Error(`TensorFlow.js could not start its backend ${backend}`);
  await tf.ready();
  return tf;
}
