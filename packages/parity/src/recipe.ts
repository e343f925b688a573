/** Where the values of a tensor come from: a name that is hashed, and the range of the values. */
export interface Recipe {
  readonly seed: number;
  readonly name: string;
  /** Half the width of the range; default 1. 0 gives a constant. */
  readonly scale?: number;
  /** The middle of the range; default 0. */
  readonly offset?: number;
}

/** FNV-1a, 32 bits, of a text in UTF-8. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text, 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}

/** The finalizer of MurmurHash3: every bit of the result depends on every bit given. */
function mix(value: number): number {
  let x = value;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

/** The i-th hash of a stream whose name has the hash `base`, in [0, 2³²). */
const hashAt = (base: number, i: number): number =>
  mix(mix(Math.imul(i, 0x9e3779b9) + 0x7f4a7c15) ^ base) >>> 0;

/**
 * Values that any language computes bit for bit alike, so that a case needs no files of weights.
 *
 * v_i = float32( offset + scale · (2 · x_i / 2³² − 1) ),  x_i a hash of seed, name and i
 *
 * @param recipe The name and the range.
 * @param length How many; i counts in row-major order of PyTorch's shape.
 * @see parity cases, format 1, "Tensor recipe"
 */
export function tensorValues({ seed, name, scale = 1, offset = 0 }: Recipe, length: number): Float32Array {
  const base = fnv1a(`${seed}/${name}`);
  const values = new Float32Array(length);
  // Float64 arithmetic, rounded once: by the store.
  for (let i = 0; i < length; i++) values[i] = offset + scale * (2 * (hashAt(base, i) / 2 ** 32) - 1);
  return values;
}
