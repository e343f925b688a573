// For browsers: TensorFlow.js on WebAssembly, with threads also where a bundler has made its code smaller, and with one where they do not start.
import * as tf from '@tensorflow/tfjs-core';
import { getThreadsCount, setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as threadsModule from '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.js';
import { checkKeys, G2DError, OptionError } from '@g2d/core';

/** What `startWasm` is told. */
export interface WasmOptions {
  /** Where the backend's three `.wasm` files lie, as `setWasmPaths` takes it. Default: what `setWasmPaths` was told, or beside the page's script. */
  readonly files?: Parameters<typeof setWasmPaths>[0];
  /** Threads of the backend's own kernels, an integer of at least 1. TensorFlow.js takes at most half of the logical cores, and eight, which is its default. */
  readonly threads?: number;
}

/** What WebAssembly has in this browser and on this page. */
export interface WasmReport {
  /** Whether it has vectors. Without them steps take several times as long. */
  readonly simd: boolean;
  /** Threads that run. */
  readonly threads: number;
  /** A sentence for each thing that is lacking, and what to do; none where nothing is. */
  readonly problems: readonly string[];
}

const SIMD = 'WASM_HAS_SIMD_SUPPORT';
const THREADS = 'WASM_HAS_MULTITHREAD_SUPPORT';

/** TensorFlow.js gives its backend for WebAssembly this one. */
const PRIORITY = 2;

/** What the present backend was asked for; `undefined` before the first one. */
let started: { readonly threads: number | undefined } | undefined;
/** Whether threads start does not change. */
let trial: Promise<string | undefined> | undefined;
/** Why threads were given up. */
let failure: string | undefined;

/**
 * Makes WebAssembly the backend, in a page or in a worker, and says what it has there. Call it in place of `tf.setBackend('wasm')`: that one never
 * returns where a minifier has renamed what TensorFlow.js's threads need. It may be called again, with another number of threads too; tensors of
 * the backend that was there are lost then.
 *
 * @throws {OptionError} For threads that are no integer of at least 1, or an option that there is not.
 * @throws {G2DError} `G2D_WASM`, if the backend does not start, as where a `.wasm` file is not found.
 */
export async function startWasm(options: WasmOptions = {}): Promise<WasmReport> {
  const { files, threads } = checkKeys(options, { files: true, threads: true }, 'startWasm');
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    const accepted = 'an integer of at least 1';
    throw new OptionError(
      `\`threads\` is ${threads}; expected ${accepted}. Leave it out for the number of TensorFlow.js.`,
      { option: 'threads', value: threads, accepted },
    );
  }
  if (files !== undefined) setWasmPaths(files);
  if (started && started.threads !== threads) {
    // The number is fixed with the module.
    const factory = tf.findBackendFactory('wasm');
    tf.removeBackend('wasm');
    tf.registerBackend('wasm', factory, PRIORITY);
  }
  // What was asked for before is no default.
  if (threads !== undefined || started) setThreadsCount(threads ?? -1);
  const flags = await Promise.all([tf.env().getAsync(SIMD), tf.env().getAsync(THREADS)]);
  const [simd, shared] = flags as [boolean, boolean];
  if (simd && shared) {
    const problem = await (trial ??= threadProblem(keepTextOfThreads()));
    if (problem !== undefined) {
      failure = `WebAssembly runs on one thread: its threads do not start here (${problem}).`;
      tf.env().set(THREADS, false);
    }
  }
  if (!(await tf.setBackend('wasm')))
    throw new G2DError(
      'G2D_WASM',
      "WebAssembly did not start: expected the backend's three .wasm files where `files` says; the console has what came.",
    );
  started = { threads };
  return { simd, threads: getThreadsCount(), problems: problemsOf(simd, shared) };
}

function problemsOf(simd: boolean, shared: boolean): readonly string[] {
  if (!simd)
    return [
      'WebAssembly has no SIMD in this browser, so that it runs on one thread and steps take several times as long: use a current browser.',
    ];
  if (failure !== undefined) return [failure];
  return shared
    ? []
    : [
        'WebAssembly runs on one thread: the page is not isolated from other origins; serve it with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.',
      ];
}

/**
 * TensorFlow.js gives its threads the text of a function, which asks for a name from outside of it: `typeof _scriptDir`, which nobody has there, and
 * may ask. A minifier that sees the name declared makes a comparison of it, under another name, and that is an error in a thread. So there every name
 * that nobody has is undefined.
 *
 * @returns The text.
 */
function keepTextOfThreads(): string {
  const factory = ((threadsModule as { readonly default?: unknown }).default ??
    threadsModule) as () => unknown;
  const unknown = 'new Proxy({}, { has: (_, name) => !(name in globalThis) })';
  const text = `(function () { with (${unknown}) { return ${Function.prototype.toString.call(factory)}; } })()`;
  factory.toString = () => text;
  return text;
}

/** As much of a page, or of a worker, as it takes to start a thread. */
interface Scope {
  readonly Blob: new (parts: readonly string[], options: { type: string }) => object;
  readonly URL: { createObjectURL(blob: object): string; revokeObjectURL(url: string): void };
  readonly Worker: new (url: string) => {
    addEventListener(
      type: 'message' | 'error',
      listener: (event: { readonly message?: string; preventDefault(): void }) => void,
    ): void;
    terminate(): void;
  };
}

/** A thread that has not said a word after so long says none. */
const PATIENCE_MS = 10_000;

/**
 * Starts a thread as TensorFlow.js does, up to where it would have the module: TensorFlow.js itself waits for ever for one that does not come so far.
 *
 * @returns Why it did not, `undefined` if it did.
 */
function threadProblem(text: string): Promise<string | undefined> {
  const { Blob, URL, Worker } = globalThis as unknown as Scope;
  const addressOf = (script: string): string =>
    URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  const code = addressOf(`var start = ${text};`);
  const url = addressOf(`importScripts('${code}');
const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
start({
  ENVIRONMENT_IS_PTHREAD: true,
  wasmMemory: memory,
  buffer: memory.buffer,
  instantiateWasm() {
    postMessage('here');
    return {};
  },
});`);
  let worker: InstanceType<Scope['Worker']> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  return new Promise<string | undefined>((resolve) => {
    worker = new Worker(url);
    worker.addEventListener('message', () => resolve(undefined));
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      resolve(event.message ?? 'the rules of the page forbid workers from blob: addresses');
    });
    timer = setTimeout(() => resolve(`none within ${PATIENCE_MS / 1000} s`), PATIENCE_MS);
  })
    .catch((error: unknown) => String(error))
    .finally(() => {
      clearTimeout(timer);
      worker?.terminate();
      for (const address of [code, url]) URL.revokeObjectURL(address);
    });
}
