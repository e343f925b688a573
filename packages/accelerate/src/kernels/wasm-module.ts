import * as tf from '@tensorflow/tfjs-core';
import { WASM_KERNELS } from './wasm-bytes.js';

/** The memory of a module. */
interface WasmMemory {
  readonly buffer: ArrayBufferLike;
}

interface WebAssembly {
  readonly Memory: new (size: { initial: number; maximum: number; shared: boolean }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
}

/** TypeScript knows it as a part of browsers only. */
export const webAssembly = (): WebAssembly =>
  (globalThis as unknown as { WebAssembly: WebAssembly }).WebAssembly;

/** What `wasm/kernels.c` exports. Pointers are offsets in the backend's memory. */
interface Exports {
  matmulWork(columns: number, steps: number): number;
  matmul(...operands: number[]): void;
  convolutionWork(convolution: number): number;
  convolution(...operands: number[]): void;
  addBias(...operands: number[]): void;
  relu(...operands: number[]): void;
  filterGradient(...operands: number[]): void;
  inputGradient(...operands: number[]): void;
  columnSums(...operands: number[]): void;
  batchNorm(...operands: number[]): void;
  batchNormGradient(...operands: number[]): void;
  layerNorm(...operands: number[]): void;
  layerNormGradient(...operands: number[]): void;
  attentionWork(time: number, size: number): number;
  attention(...operands: number[]): void;
  attentionGradient(...operands: number[]): void;
  sgd(...operands: number[]): void;
}

/** Of tfjs-backend-wasm's backend, what we need. */
interface Backend {
  readonly wasm: {
    /** Exports of its module; the memory is among them but with threads, where it is the module's own. */
    readonly asm?: { readonly memory?: WasmMemory };
    readonly wasmMemory?: WasmMemory;
    _malloc(bytes: number): number;
    _free(pointer: number): void;
  };
  readonly dataIdMap: { get(dataId: object): { readonly memoryOffset: number } };
  makeOutput(shape: readonly number[], dtype: 'float32'): tf.TensorInfo;
  disposeData(dataId: object, force?: boolean): boolean;
}

/** Our module in the memory of one backend. */
export interface WasmModule {
  readonly run: Exports;
  pointer(tensor: tf.TensorInfo | undefined): number;
  output(shape: readonly number[]): tf.TensorInfo;
  /** Gives `body` room for integers and numbers, and frees it. */
  withRoom<Result>(bytes: number, body: (pointer: number) => Result): Result;
  integers(pointer: number, values: readonly number[]): void;
}

const modules = new WeakMap<object, WasmModule | null>();

/**
 * Our kernels in the memory of a backend, `null` where they do not run: without SIMD, where a page's rules forbid to compile, in a
 * version of the backend that hides its memory, and for `G2D_KERNELS=off`.
 */
export function wasmModule(backend: unknown): WasmModule | null {
  let module = modules.get(backend as object);
  if (module === undefined) {
    module = switchedOff() ? null : instantiate(backend as Backend);
    modules.set(backend as object, module);
  }
  return module;
}

const switchedOff = (): boolean =>
  (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env?.['G2D_KERNELS'] ===
  'off';

function instantiate(backend: Backend): WasmModule | null {
  const memory = backend.wasm.asm?.memory ?? backend.wasm.wasmMemory;
  if (!memory) return null;
  let run: Exports;
  try {
    run = kernelsIn(memory);
  } catch {
    return null;
  }
  const { wasm, dataIdMap } = backend;
  const filled = (pointer: number): number => {
    // Address 0 is what malloc gives for no memory.
    if (pointer === 0) throw new Error('The memory of the WebAssembly backend is full.');
    return pointer >>> 0;
  };
  return {
    run,
    pointer: (tensor) => (tensor ? dataIdMap.get(tensor.dataId).memoryOffset : 0),
    output(shape) {
      const tensor = backend.makeOutput(shape, 'float32');
      if (dataIdMap.get(tensor.dataId).memoryOffset === 0) backend.disposeData(tensor.dataId, true);
      filled(dataIdMap.get(tensor.dataId).memoryOffset);
      return tensor;
    },
    withRoom(bytes, body) {
      const pointer = filled(wasm._malloc(Math.max(bytes, 1)));
      try {
        return body(pointer);
      } finally {
        wasm._free(pointer);
      }
    },
    integers: (pointer, values) => new Int32Array(memory.buffer, pointer, values.length).set(values),
  };
}

/** The module on a memory, which may be one that threads share. */
export function kernelsIn(memory: WasmMemory): Exports {
  const bytes = Uint8Array.from(atob(WASM_KERNELS.bytes), (character) => character.charCodeAt(0));
  const shared = typeof SharedArrayBuffer === 'function' && memory.buffer instanceof SharedArrayBuffer;
  if (shared) bytes[WASM_KERNELS.memoryFlags] = 3;
  const { Instance, Module } = webAssembly();
  return new Instance(new Module(bytes), { env: { memory } }).exports as Exports;
}

/** What a kernel is called with. */
export interface WasmCall {
  readonly inputs: tf.NamedTensorInfoMap;
  readonly attrs?: tf.NamedAttrMap;
  readonly backend: unknown;
}

/** Replaces a kernel of the backend; `compute` gives `null` for what it leaves to the one that was there. */
export function replaceWasmKernel(
  name: string,
  compute: (module: WasmModule, call: WasmCall) => tf.TensorInfo | null,
): void {
  const own = tf.getKernel(name, 'wasm');
  tf.unregisterKernel(name, 'wasm');
  tf.registerKernel({
    ...own,
    kernelFunc: (call) => {
      const module = wasmModule(call.backend);
      return (module && compute(module, call)) ?? own.kernelFunc(call);
    },
  });
}
