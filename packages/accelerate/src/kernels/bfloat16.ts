import type * as tf from '@tensorflow/tfjs-core';
import { OptionError } from '@g2d/core';
import { attribute, execute, tensorflow } from '@g2d/tensor-ops/tensorflow';

/** Number format of convolutions and matrix products. */
export type Precision = 'float32' | 'bfloat16';

const PRECISIONS: readonly Precision[] = ['float32', 'bfloat16'];

/** @throws {OptionError} For anything else, where types were not checked. */
export function assertPrecision(precision: Precision): void {
  if (PRECISIONS.includes(precision)) return;
  throw new OptionError(`\`precision\` is "${String(precision)}"; it can be ${PRECISIONS.join(' or ')}.`, {
    option: 'precision',
    value: precision,
    accepted: PRECISIONS.join(', '),
  });
}

/** TensorFlow's number for the type; TensorFlow.js has no name for it. */
const DT_BFLOAT16 = 14;

interface OutputMetadata {
  readonly shape: number[];
  readonly dtype: number;
  readonly id: number;
}

interface WrapsOutputs {
  createOutputTensor(metadata: OutputMetadata): tf.Tensor;
  readonly tensorMap: { get(dataId: object): { dtype: number } };
}

const MARKER = Symbol.for('@g2d/bfloat16-outputs');

/**
 * Lets the backend hold tensors of this type. To TensorFlow.js they look like float32: they never leave the function
 * that makes them.
 */
function allowBfloat16(): void {
  const backend = tensorflow() as unknown as WrapsOutputs & { [MARKER]?: true };
  if (backend[MARKER]) return;
  const original = backend.createOutputTensor.bind(backend);
  backend.createOutputTensor = (metadata) => {
    if (metadata.dtype !== DT_BFLOAT16) return original(metadata);
    const tensor = original({ ...metadata, dtype: attribute.float32Type().value as number });
    backend.tensorMap.get(tensor.dataId).dtype = DT_BFLOAT16;
    return tensor;
  };
  backend[MARKER] = true;
}

const cast = (x: tf.Tensor, from: number, to: number): tf.Tensor =>
  execute(
    'Cast',
    [attribute.type('SrcT', from), attribute.type('DstT', to), attribute.boolean('Truncate', false)],
    [x],
  );

/**
 * Runs an operation on rounded copies of its operands and widens the result: a bfloat16 has the range of a float32 and
 * 8 of its 24 significant bits; sums are float32 inside of the operation where `bfloat16Problem` finds none.
 *
 * @param run Gets the operands and the type attribute `T` to use. With `'float32'` the operands are those given.
 */
export function inPrecision(
  precision: Precision,
  operands: readonly tf.Tensor[],
  run: (operands: tf.Tensor[], type: number) => tf.Tensor,
): tf.Tensor {
  const float32 = attribute.float32Type().value as number;
  if (precision === 'float32') return run([...operands], float32);
  allowBfloat16();
  const rounded = operands.map((operand) => cast(operand, float32, DT_BFLOAT16));
  const result = run(rounded, DT_BFLOAT16);
  const widened = cast(result, DT_BFLOAT16, float32);
  for (const tensor of [...rounded, result]) tensor.dispose();
  return widened;
}
