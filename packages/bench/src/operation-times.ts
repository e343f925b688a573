import { OptionError } from '@g2d/core';
import type { RuntimeInfo } from '@g2d/native';
import { TENSORFLOW, tensorflow } from '@g2d/tensor-ops/tensorflow';
import type { Operand, OperationCall } from './operation-work.js';

/** A call, and how long it took. */
export interface TimedCall extends OperationCall {
  readonly ms: number;
}

/** The timed steps of a stage, and its share of a training. */
export interface RecordedStage {
  readonly share: number;
  readonly steps: readonly { readonly ms: number; readonly calls: readonly TimedCall[] }[];
}

/** A handle of a variable, or a number that somebody made outside of the backend. */
const NUMBER: Operand = { shape: [], bytes: 4 };

/** TensorFlow's number for bfloat16; its binding for Node has no name for it. */
const DT_BFLOAT16 = 14;

/** @throws {OptionError} Where TensorFlow's operations are not there to be timed, or go on after they have returned. */
export function assertRecordable({ backend, device }: Pick<RuntimeInfo, 'backend' | 'device'>): void {
  if (backend === TENSORFLOW && device === 'cpu') return;
  throw new OptionError(
    backend === TENSORFLOW
      ? '--operations needs TensorFlow on a CPU, but this is a GPU, which computes on after an operation has returned. Leave it out, or hide the GPU: CUDA_VISIBLE_DEVICES=-1.'
      : `--operations needs the backend tensorflow, but this is ${backend}. Leave it out, or run npx g2d-native install.`,
    { option: 'operations', value: `${backend} on a ${device}`, accepted: 'tensorflow on a cpu' },
  );
}

/**
 * Records every call of an operation of TensorFlow from now on: those of layers, of our kernels, and of the optimizer's update, which
 * has variables of TensorFlow's own. All meet in one function below the backend, so each is there once, and none within another.
 *
 * For the CPU, where an operation is done when it returns.
 *
 * @returns Ends it, and gives the calls in their order. The backend is as before then; called again, it does nothing more.
 */
export function recordOperations(): () => readonly TimedCall[] {
  const backend = tensorflow();
  const { binding } = backend;
  const bytes = new Map([
    [binding['TF_BOOL'] as number, 1],
    [binding['TF_UINT8'] as number, 1],
    [DT_BFLOAT16, 2],
  ]);
  const calls: TimedCall[] = [];
  // By TensorFlow's numbers for tensors, which are all that it is given.
  const operands = new Map<number, Operand>();

  const executeOp: typeof binding.executeOp = (operation, attributes, inputs, outputs) => {
    const started = performance.now();
    const made = binding.executeOp(operation, attributes, inputs, outputs);
    const ms = performance.now() - started;
    const results = made.map(({ id, shape, dtype }) => {
      const operand = { shape, bytes: bytes.get(dtype) ?? NUMBER.bytes };
      operands.set(id, operand);
      return operand;
    });
    calls.push({
      operation,
      attributes,
      inputs: inputs.map((id) => operands.get(id) ?? NUMBER),
      outputs: results,
      ms,
    });
    return made;
  };
  // Everybody asks here for the number of a tensor that TensorFlow.js has.
  const getInputTensorIds: typeof backend.getInputTensorIds = (tensors) => {
    const ids = original.call(backend, tensors);
    ids.forEach((id, i) => {
      if (!operands.has(id)) operands.set(id, { ...NUMBER, shape: tensors[i]?.shape ?? [] });
    });
    return ids;
  };
  const original = backend.getInputTensorIds;
  const restore = [
    // The binding's own functions cannot be replaced.
    replaced(backend, 'binding', Object.create(binding, { executeOp: { value: executeOp } })),
    replaced(backend, 'getInputTensorIds', getInputTensorIds),
  ];
  return () => {
    for (const undo of restore.splice(0)) undo();
    return calls;
  };
}

/** Puts a value in the place of another, and says how to undo that. */
function replaced<T extends object>(target: T, key: keyof T, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(target, key);
  Object.defineProperty(target, key, { value, configurable: true, writable: true, enumerable: true });
  return () => {
    // A method of its class comes back by itself.
    if (before) Object.defineProperty(target, key, before);
    else Reflect.deleteProperty(target, key);
  };
}
