import { PickleGlobal, type ElementType, type Fail, type PickleTools } from '@g2d/formats';
import { TorchTensor, type TorchStorage } from './torch-tensor.js';
import { Tuple } from './tuple.js';

/** PyTorch's own limit. */
const MOST_AXES = 64;

/** Stands in for `torch.FloatStorage` and its like: what a storage's elements are. */
export class StorageType {
  readonly type: ElementType;

  constructor(type: ElementType) {
    this.type = type;
  }
}

/** A storage, to be told from other objects of the pickle. */
export class StorageReference {
  readonly storage: TorchStorage;

  constructor(storage: TorchStorage) {
    this.storage = storage;
  }
}

/**
 * Everything that a checkpoint may name. All of it only describes data; what is not here is refused.
 *
 * `_rebuild_tensor` and `Parameter` are how PyTorch before 0.4 spelled tensors and parameters.
 */
const ALLOWED: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['collections.OrderedDict', new PickleGlobal(orderedDictionary)],
  ['torch._utils._rebuild_tensor', new PickleGlobal(rebuildTensor)],
  ['torch._utils._rebuild_tensor_v2', new PickleGlobal(rebuildTensor)],
  ['torch._utils._rebuild_parameter', new PickleGlobal(firstTensor)],
  ['torch.nn.parameter.Parameter', new PickleGlobal(firstTensor)],
  ['torch.Size', new PickleGlobal(([sizes], { fail }) => tupleOf(sizes, fail))],
  ['torch.device', new PickleGlobal(() => 'torch.device')],
  ['torch.storage.UntypedStorage', new StorageType('U8')],
  ['torch.BoolStorage', new StorageType('BOOL')],
  ['torch.ByteStorage', new StorageType('U8')],
  ['torch.CharStorage', new StorageType('I8')],
  ['torch.ShortStorage', new StorageType('I16')],
  ['torch.IntStorage', new StorageType('I32')],
  ['torch.LongStorage', new StorageType('I64')],
  ['torch.HalfStorage', new StorageType('F16')],
  ['torch.BFloat16Storage', new StorageType('BF16')],
  ['torch.FloatStorage', new StorageType('F32')],
  ['torch.DoubleStorage', new StorageType('F64')],
]);

/** The stand-in for a global of the pickle, `undefined` for one that is not allowed. */
export const torchGlobal = (name: string): unknown => ALLOWED.get(name);

/** Attributes of a dictionary (`_metadata`) and of a parameter (`requires_grad`, …) are of no use here. */
export function setTorchState(object: unknown, state: unknown, fail: Fail): void {
  const known =
    object instanceof Map ||
    (object instanceof TorchTensor && state instanceof Tuple && state.items.length === 3);
  if (!known) throw fail('damaged: a state for something that is neither a dictionary nor a parameter.');
}

/** `OrderedDict()`, and Python 2's `OrderedDict([[key, value], …])`. */
function orderedDictionary([pairs = []]: readonly unknown[], { fail }: PickleTools): Map<unknown, unknown> {
  if (!Array.isArray(pairs)) throw fail('damaged: a dictionary of something that is no list.');
  return new Map(
    // Moved, not copied: else a pickle could have one long list copied any number of times.
    pairs.splice(0).map((pair: unknown) => {
      const items = pair instanceof Tuple ? pair.items : pair;
      if (!Array.isArray(items) || items.length !== 2) {
        throw fail('damaged: a dictionary with an entry that is no pair.');
      }
      return items as [unknown, unknown];
    }),
  );
}

function rebuildTensor(args: readonly unknown[], { fail }: PickleTools): TorchTensor {
  const [reference, offset, shape, strides, , , properties = null] = args;
  if (!(reference instanceof StorageReference) || !isSize(offset)) {
    throw fail('damaged: a tensor without a storage or with an impossible offset.');
  }
  if (properties !== null) {
    throw fail(
      'has a tensor that PyTorch negates or conjugates when it is read. Save it with resolve_neg().',
    );
  }
  return TorchTensor.of(reference.storage, offset, sizes(shape, fail), sizes(strides, fail), fail);
}

function firstTensor([tensor]: readonly unknown[], { fail }: PickleTools): TorchTensor {
  if (!(tensor instanceof TorchTensor)) throw fail('damaged: a parameter that is no tensor.');
  return tensor;
}

function tupleOf(value: unknown, fail: Fail): Tuple {
  if (!(value instanceof Tuple)) throw fail('damaged: a torch.Size that is no tuple.');
  return value;
}

function sizes(value: unknown, fail: Fail): readonly number[] {
  const { items } = tupleOf(value, fail);
  if (items.length > MOST_AXES || !items.every(isSize)) {
    throw fail('damaged: a tensor with impossible sizes or strides.');
  }
  return items;
}

export const isSize = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;
