import { createHash } from 'node:crypto';

/** What is read of a binary for macOS. */
export interface MachO {
  /** `arm64`, or the number that the file has. */
  readonly cpu: string | number;
  /** 6: a library. */
  readonly type: number;
  /** The oldest macOS, such as `12.0`. */
  readonly oldest: string;
  /** How it calls itself. */
  readonly name: string;
  /** The libraries that it wants, each with the oldest version that will do. */
  readonly libraries: readonly { readonly name: string; readonly version: number }[];
  /** Where it searches those that begin with `@rpath`. */
  readonly searched: readonly string[];
  /** The functions that it has for others. */
  readonly defined: readonly string[];
  /** What it wants, with where that is to be found: the number of the library in its list, from 1, or -2 for any that is loaded. */
  readonly wanted: readonly { readonly name: string; readonly from: number }[];
  /** Whether it is signed without a certificate, and what it says of each of its pages is true. */
  readonly isSigned: boolean;
}

const text = (bytes: Buffer, at: number): string => bytes.toString('latin1', at, bytes.indexOf(0, at));

/** Reads the header of a 64-bit Mach-O file of one processor (mach-o/loader.h, mach-o/nlist.h). */
export function readMachO(file: Buffer): MachO {
  if (file.readUInt32LE(0) !== 0xfeedfacf) throw new Error('This is no 64-bit Mach-O file.');
  const libraries: { name: string; version: number }[] = [];
  const searched: string[] = [];
  const defined: string[] = [];
  const wanted = new Map<string, number>();
  let [name, oldest, isSigned] = ['', '', false];
  const cpu = file.readUInt32LE(4);
  for (let left = file.readUInt32LE(16), at = 32; left > 0; left--, at += file.readUInt32LE(at + 4)) {
    const field = (index: number) => file.readUInt32LE(at + 8 + 4 * index);
    switch (file.readUInt32LE(at)) {
      case 0x0c: // LC_LOAD_DYLIB
        libraries.push({ name: text(file, at + field(0)), version: field(3) });
        break;
      case 0x0d: // LC_ID_DYLIB
        name = text(file, at + field(0));
        break;
      case 0x8000001c: // LC_RPATH
        searched.push(text(file, at + field(0)));
        break;
      case 0x32: // LC_BUILD_VERSION
        oldest = `${field(1) >>> 16}.${(field(1) >>> 8) & 0xff}`;
        break;
      case 0x1d: // LC_CODE_SIGNATURE
        isSigned = checkSignature(file, file.subarray(field(0), field(0) + field(1)));
        break;
      case 0x02: // LC_SYMTAB
        for (let i = 0, entry = field(0); i < field(1); i++, entry += 16) {
          const kind = file.readUInt8(entry + 4);
          // Not those that it wants, nor those for itself alone, nor the compiler's notes.
          if (kind & 0x0e && kind & 0x01 && !(kind & 0xe0))
            defined.push(cName(text(file, field(2) + file.readUInt32LE(entry))));
        }
        break;
      case 0x80000022: // LC_DYLD_INFO_ONLY: what is looked for when it is loaded, and when it is first called.
        for (const [start, size] of [
          [field(2), field(3)],
          [field(6), field(7)],
        ] as const)
          readBindings(file.subarray(start, start + size), wanted);
    }
  }
  return {
    cpu: cpu === 0x0100000c ? 'arm64' : cpu,
    type: file.readUInt32LE(12),
    oldest,
    name,
    libraries,
    searched,
    defined,
    wanted: [...wanted].map(([name, from]) => ({ name, from })),
    isSigned,
  };
}

const cName = (symbol: string): string => symbol.replace(/^_/, '');

/** The small program by which the loader fills in addresses (BIND_OPCODE_… of mach-o/loader.h); of it the names and where they are looked for. */
function readBindings(program: Buffer, into: Map<string, number>): void {
  let [name, from, at] = ['', 0, 0];
  const number = () => {
    let value = 0;
    for (let shift = 1, byte = 0x80; byte & 0x80; shift *= 128) {
      byte = program.readUInt8(at++);
      value += (byte & 0x7f) * shift;
    }
    return value;
  };
  while (at < program.length) {
    const byte = program.readUInt8(at++);
    const [opcode, value] = [byte >>> 4, byte & 0x0f];
    if (opcode === 1) from = value;
    else if (opcode === 2) from = number();
    else if (opcode === 3) from = value === 0 ? 0 : value - 16;
    else if (opcode === 4) {
      name = cName(text(program, at));
      at = program.indexOf(0, at) + 1;
    } else if (opcode >= 6 && opcode <= 8) number();
    else if (opcode >= 9) {
      into.set(name, from);
      for (let left = opcode === 10 ? 1 : opcode === 12 ? 2 : 0; left > 0; left--) number();
    }
  }
}

/** The signature that a linker writes (kern/cs_blobs.h): hashes of all that comes before it, page by page. */
function checkSignature(file: Buffer, signature: Buffer): boolean {
  const directory = signature.subarray(signature.readUInt32BE(16));
  const field = (index: number) => directory.readUInt32BE(4 * index);
  const [hashes, pages, end] = [field(4), field(7), field(8)];
  const [size, type, page] = [directory.readUInt8(36), directory.readUInt8(37), 2 ** directory.readUInt8(39)];
  // A superblob with a code directory in it; SHA-256; everything up to the signature.
  if (signature.readUInt32BE(0) !== 0xfade0cc0 || field(0) !== 0xfade0c02 || size !== 32 || type !== 2)
    return false;
  if (end !== file.length - signature.length || pages !== Math.ceil(end / page)) return false;
  // Signed by nobody ("ad hoc").
  if ((field(3) & 2) === 0) return false;
  return Array.from({ length: pages }, (_, i) => i).every((i) =>
    createHash('sha256')
      .update(file.subarray(i * page, Math.min((i + 1) * page, end)))
      .digest()
      .equals(directory.subarray(hashes + i * size, hashes + (i + 1) * size)),
  );
}
