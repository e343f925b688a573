import { PickleGlobal, type ElementType, type Fail, type PickleTools } from '@g2d/formats';
import { TorchTensor, UnreadableTensor, type TorchStorage } from './torch-tensor.js';
import { TorchType } from './torch-type.js';
import { Tuple } from './tuple.js';

/** PyTorch's own limit. */
const MOST_AXES = 64;

/** A storage, to be told from other objects of the pickle. */
export class StorageReference {
  readonly storage: TorchStorage;

  constructor(storage: TorchStorage) {
    this.storage = storage;
  }
}

/** Stands in for an object that describes no tensor: what it held is not kept. */
const INERT = Object.freeze({});

const inert = new PickleGlobal(() => INERT);

/** Types by PyTorch's name of a tensor's elements, and of a storage of them. */
const TYPES: readonly (readonly [type: ElementType | number, names: readonly string[], storage?: string])[] =
  [
    ['BOOL', ['bool'], 'BoolStorage'],
    ['U8', ['uint8'], 'ByteStorage'],
    ['I8', ['int8'], 'CharStorage'],
    ['I16', ['int16', 'short'], 'ShortStorage'],
    ['U16', ['uint16']],
    ['I32', ['int32', 'int'], 'IntStorage'],
    ['U32', ['uint32']],
    ['I64', ['int64', 'long'], 'LongStorage'],
    ['U64', ['uint64']],
    ['F16', ['float16', 'half'], 'HalfStorage'],
    ['BF16', ['bfloat16'], 'BFloat16Storage'],
    ['F32', ['float32', 'float'], 'FloatStorage'],
    ['F64', ['float64', 'double'], 'DoubleStorage'],
    ['F8_E4M3', ['float8_e4m3fn']],
    ['F8_E5M2', ['float8_e5m2']],
    ['F8_E4M3FNUZ', ['float8_e4m3fnuz']],
    ['F8_E5M2FNUZ', ['float8_e5m2fnuz']],
    ['F8_E8M0', ['float8_e8m0fnu']],
    // Not read: the bytes of one element.
    [1, ['float4_e2m1fn_x2']],
    [4, ['complex32', 'chalf']],
    [8, ['complex64', 'cfloat'], 'ComplexFloatStorage'],
    [16, ['complex128', 'cdouble'], 'ComplexDoubleStorage'],
    [1, ['quint8'], 'QUInt8Storage'],
    [1, ['qint8'], 'QInt8Storage'],
    [4, ['qint32'], 'QInt32Storage'],
    [1, ['quint4x2'], 'QUInt4x2Storage'],
    [1, ['quint2x4'], 'QUInt2x4Storage'],
  ];

/** Globals of one kind under the names of a module. */
const each = (module: string, names: readonly string[], value: unknown): [string, unknown][] =>
  names.map((name) => [`${module}.${name}`, value]);

/**
 * Everything that a checkpoint may name: what PyTorch's own loader allows with `weights_only=True`, and what training loops
 * save beside the weights. All of it only describes data; what is not here is refused.
 *
 * `_rebuild_tensor` and `Parameter` are how PyTorch before 0.4 spelled tensors and parameters.
 */
const ALLOWED: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  // Dictionaries and lists
  ['collections.OrderedDict', new PickleGlobal(orderedDictionary)],
  ['collections.Counter', new PickleGlobal(counter)],
  ['collections.defaultdict', new PickleGlobal(() => new Map())],
  ['collections.deque', new PickleGlobal(() => [])],

  // Tensors
  ['torch._utils._rebuild_tensor', new PickleGlobal(rebuildTensor)],
  ['torch._utils._rebuild_tensor_v2', new PickleGlobal(rebuildTensor)],
  ['torch._utils._rebuild_tensor_v3', new PickleGlobal(rebuildTypedTensor)],
  ['torch._utils._rebuild_parameter', new PickleGlobal(firstTensor)],
  ['torch._utils._rebuild_parameter_with_state', new PickleGlobal(firstTensor)],
  ['torch.nn.parameter.Parameter', new PickleGlobal(firstTensor)],
  ['torch.nn.parameter.Buffer', new PickleGlobal(firstTensor)],
  ['torch._tensor._rebuild_from_type_v2', new PickleGlobal(rebuildFromType)],
  ['torch.Tensor', inert],
  ['torch.storage.UntypedStorage', new TorchType('bytes', 'U8')],
  ...TYPES.flatMap(([type, names, storage]) => [
    ...each('torch', names, new TorchType(names[0] as string, type)),
    ...(storage === undefined ? [] : each('torch', [storage], new TorchType(names[0] as string, type))),
  ]),

  // Tensors that are there, but cannot be read
  [
    'torch._utils._rebuild_sparse_tensor',
    unreadable('is sparse', ([, data]) => itemsOf(data).find((part) => part instanceof Tuple)),
  ],
  ['torch._utils._rebuild_qtensor', unreadable('is quantized', ([, , shape]) => shape)],
  ['torch._utils._rebuild_nested_tensor', unreadable('is nested: its rows differ in length')],
  ['torch._utils._rebuild_meta_tensor_no_storage', unreadable('has no values (device "meta")', ([, s]) => s)],
  ['torch._utils._rebuild_wrapper_subclass', unreadable('is of a class of its own')],
  ['torch._utils._rebuild_device_tensor_from_numpy', unreadable('is of another device')],
  ['torch._utils._rebuild_device_tensor_from_cpu_tensor', unreadable('is of another device')],

  // What describes tensors
  ['torch.Size', new PickleGlobal(([sizes], { fail }) => tupleOf(sizes, fail))],
  ['torch.device', inert],
  ['torch.serialization._get_layout', inert],
  ...each('torch', ['per_tensor_affine', 'per_tensor_symmetric', 'per_channel_affine'], inert),
  ...each('torch', ['per_channel_symmetric', 'per_channel_affine_float_qparams'], inert),
  ...each('torch', ['contiguous_format', 'channels_last', 'preserve_format'], inert),

  // What stands beside the weights of a training: states of random streams, arguments, times, best results
  ['_codecs.encode', inert],
  ...['builtins', '__builtin__'].flatMap((module) =>
    each(module, ['bytes', 'bytearray', 'complex', 'set', 'frozenset', 'slice', 'range', 'xrange'], inert),
  ),
  // What a defaultdict makes of a key that it lacks.
  ...['builtins', '__builtin__'].flatMap((module) =>
    each(module, ['bool', 'dict', 'float', 'int', 'list', 'long', 'str', 'tuple', 'unicode'], inert),
  ),
  ...['numpy.core', 'numpy._core'].flatMap((core) => [
    ...each(`${core}.multiarray`, ['_reconstruct', 'scalar'], inert),
    ...each(`${core}.numeric`, ['_frombuffer'], inert),
  ]),
  ...each('numpy', ['ndarray', 'dtype', 'bool_', 'float64', 'float32', 'int64'], inert),
  ['argparse.Namespace', inert],
  ['types.SimpleNamespace', inert],
  ...each('datetime', ['datetime', 'date', 'time', 'timedelta', 'timezone'], inert),
  ...['pathlib', 'pathlib._local'].flatMap((module) =>
    each(module, ['PosixPath', 'WindowsPath', 'PurePosixPath', 'PureWindowsPath', 'Path'], inert),
  ),
]);

/** The stand-in for a global of the pickle, `undefined` for one that is not allowed. */
export const torchGlobal = (name: string): unknown => ALLOWED.get(name);

/** Attributes of a dictionary (`_metadata`), of a parameter (`requires_grad`, …) and of other objects are of no use here. */
export function setTorchState(object: unknown, state: unknown, fail: Fail): void {
  const known =
    object instanceof Map ||
    object === INERT ||
    (isTensor(object) && state instanceof Tuple && state.items.length === 3);
  if (!known) throw fail('damaged: a state for something that is neither a dictionary nor a parameter.');
}

const isTensor = (value: unknown): value is TorchTensor | UnreadableTensor =>
  value instanceof TorchTensor || value instanceof UnreadableTensor;

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

/** `Counter({key: count, …})`: the dictionary itself. */
function counter([counts = new Map()]: readonly unknown[], { fail }: PickleTools): Map<unknown, unknown> {
  if (!(counts instanceof Map)) throw fail('damaged: a Counter of something that is no dictionary.');
  return counts;
}

/** (storage, offset, shape, strides, requires_grad, hooks, metadata) */
function rebuildTensor(
  [reference, offset, shape, strides, , , properties = null]: readonly unknown[],
  { fail }: PickleTools,
): TorchTensor | UnreadableTensor {
  if (!(reference instanceof StorageReference) || !isSize(offset)) {
    throw fail('damaged: a tensor without a storage or with an impossible offset.');
  }
  const size = sizes(shape, fail);
  if (properties !== null) {
    return new UnreadableTensor(
      size,
      'is one that PyTorch negates or conjugates when it is read. Save it with resolve_neg() or resolve_conj()',
    );
  }
  const { storage } = reference;
  if (storage.type === undefined) {
    return new UnreadableTensor(
      size,
      `has elements of type ${storage.name}. Convert it, for example with .float(), and save it again`,
    );
  }
  return TorchTensor.of(storage, offset, size, sizes(strides, fail), fail);
}

/** (storage of bytes, offset in elements, shape, strides, requires_grad, hooks, type, metadata) */
function rebuildTypedTensor(
  [reference, offset, shape, strides, grad, hooks, type, properties]: readonly unknown[],
  tools: PickleTools,
): TorchTensor | UnreadableTensor {
  if (!(reference instanceof StorageReference) || !(type instanceof TorchType)) {
    throw tools.fail('damaged: a tensor without a storage or a type.');
  }
  const typed = new StorageReference(reference.storage.as(type));
  return rebuildTensor([typed, offset, shape, strides, grad, hooks, properties], tools);
}

/** (function, class, its arguments, attributes): a tensor with attributes of its own. */
function rebuildFromType([rebuild, , args]: readonly unknown[], tools: PickleTools): unknown {
  // Only what may be called anyway, and nothing that would call again.
  const known =
    rebuild instanceof PickleGlobal && rebuild !== ALLOWED.get('torch._tensor._rebuild_from_type_v2');
  if (!known) throw tools.fail('damaged: a tensor that is made by something unknown.');
  return rebuild.call(tupleOf(args, tools.fail).items, tools);
}

function firstTensor([tensor]: readonly unknown[], { fail }: PickleTools): TorchTensor | UnreadableTensor {
  if (!isTensor(tensor)) throw fail('damaged: a parameter that is no tensor.');
  return tensor;
}

/** A tensor that is listed with its shape, if the arguments have one, and with what it is. */
function unreadable(
  problem: string,
  shapeOf: (args: readonly unknown[]) => unknown = () => undefined,
): PickleGlobal {
  return new PickleGlobal((args) => {
    const shape = itemsOf(shapeOf(args));
    return new UnreadableTensor(
      shape.every(isSize) ? shape : [],
      `${problem}. Save it as a plain tensor, for example with .to_dense() or .dequantize()`,
    );
  });
}

const itemsOf = (value: unknown): readonly unknown[] => (value instanceof Tuple ? value.items : []);

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
