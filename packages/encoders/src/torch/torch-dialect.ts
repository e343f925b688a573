import { shown } from '@g2d/core';
import type { PickleDialect } from '@g2d/formats';
import { setTorchState, torchGlobal } from './torch-globals.js';
import { Tuple } from './tuple.js';

/** Instructions. The checkpoint of a ResNet-152 with its optimizer has 150,000. */
const MOST_INSTRUCTIONS = 2 ** 20;
/** Bytes of one integer. The largest in a checkpoint is PyTorch's magic number with ten. */
const LONGEST_INTEGER = 32;
const MOST_DIGITS = 80;

/** Instructions that only the text protocol has: PyTorch writes with it, but cannot load what it wrote. */
const PROTOCOL_0 = new Set([...'FSVPdglp'].map((character) => character.charCodeAt(0)));

/**
 * Pickles as `torch.save` writes them, of protocol 1 to 5: text, numbers, lists, tuples and dictionaries, and what
 * `torchGlobal` allows. Lists are arrays, dictionaries `Map`s, integers beyond 2⁵³ bigints.
 */
export const TORCH_DIALECT: PickleDialect = {
  instructions: ['objects', 'bytes', 'sets'],
  global: (module, name) => torchGlobal(`${module}.${name}`),
  setState: (object, state, { fail }) => setTorchState(object, state, fail),
  tuples: {
    make: (items) => new Tuple(items),
    itemsOf: (value) => (value instanceof Tuple ? value.items : undefined),
  },
  unicode: (reader, length) => reader.text(length, 'strict-utf8'),
  byteString: (reader, length) => reader.text(length, 'strict-utf8'),
  limits: {
    // They bound the memory too.
    instructions: MOST_INSTRUCTIONS,
    heap: Infinity,
    integerBytes: LONGEST_INTEGER,
    integerDigits: MOST_DIGITS,
    // Whoever looks for tensors in what was read bounds the depth.
    depth: Infinity,
  },
  sentences: {
    at: (problem) => problem,
    protocol: (protocol) => `is a pickle of protocol ${protocol}; PyTorch writes protocols up to 5.`,
    global: (name, byte) =>
      `wants Python to run or make ${shown(name)} (byte ${byte}); nothing was executed. Only tensors and plain data are read. If you trust the file, save its tensors alone in PyTorch: torch.save(model.state_dict(), file).`,
    instruction: (code, byte) =>
      PROTOCOL_0.has(code)
        ? 'was saved with pickle_protocol=0, which PyTorch itself cannot load. Save it with the default protocol.'
        : `has the pickle instruction 0x${code.toString(16).padStart(2, '0')} at byte ${byte}; only tensors and plain data are read. Save the tensors alone: torch.save(model.state_dict(), file).`,
    advice: 'Save the tensors of the model alone.',
  },
};
