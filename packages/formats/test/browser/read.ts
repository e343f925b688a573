// Runs on a page: a checkpoint's zip archive and its pickle, and a safetensors file.
import {
  bytesInMemory,
  crc32,
  decodeSafetensors,
  encodeSafetensors,
  listZip,
  PickleGlobal,
  PickleReader,
  runPickle,
  type PickleDialect,
} from '@g2d/formats';

/** What the page reports. */
export interface Read {
  /** Of the archive: name → whether its checksum agrees. */
  readonly members: Readonly<Record<string, boolean>>;
  /** Names in the pickled dictionary. */
  readonly pickled: readonly string[];
  /** Tensors of the safetensors file. */
  readonly tensors: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly values: number[] }>
  >;
  /** The same, written and read again. */
  readonly again: Read['tensors'];
}

/** Of what the pickle describes only the names are kept. */
const namesOnly: PickleDialect = {
  instructions: [],
  global: () => new PickleGlobal(() => new Map()),
  setState: () => undefined,
  persistent: () => null,
  tuples: {
    make: (items) => items,
    itemsOf: (value) => (Array.isArray(value) ? value : undefined),
  },
  unicode: (reader, length) => reader.text(length, 'strict-utf8'),
  byteString: (reader, length) => reader.text(length, 'latin1'),
  limits: { instructions: 10_000, heap: Infinity, integerBytes: 8, integerDigits: 20, depth: 10 },
  sentences: {
    at: (problem) => problem,
    protocol: String,
    global: (name) => name,
    instruction: String,
    advice: '',
  },
};

const load = async (name: string): Promise<Uint8Array> =>
  new Uint8Array(await (await fetch(name)).arrayBuffer());

async function run(): Promise<Read> {
  const members = listZip(await load('/image.pth'), 'image.pth');
  const pickle = members.get('image/data.pkl')!.packed();
  const root = runPickle(new PickleReader(bytesInMemory(pickle, 'data.pkl')), namesOnly);
  const tensors = decodeSafetensors(await load('/image.safetensors'), 'image.safetensors');
  const again = decodeSafetensors(encodeSafetensors(tensors), 'again');
  const plain = (read: typeof tensors): Read['tensors'] =>
    Object.fromEntries(
      Object.entries(read).map(([name, { shape, values }]) => [name, { shape, values: [...values] }]),
    );
  return {
    members: Object.fromEntries(
      Array.from(members, ([name, member]) => [name, crc32(member.packed()) === member.checksum]),
    ),
    pickled: [...(root as Map<string, unknown>).keys()],
    tensors: plain(tensors),
    again: plain(again),
  };
}

run().then((result) => fetch('/result', { method: 'POST', body: JSON.stringify(result) }));
