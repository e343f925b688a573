// Named arrays and the values of stored elements
export {
  decodeSafetensors,
  encodeSafetensors,
  listSafetensors,
  safetensorsPieces,
  type StoredTensor,
} from './safetensors.js';
export { ELEMENT_BYTES, float32Values, type ElementType } from './float32-values.js';

// Zip archives
export { listZip, type ZipMember } from './zip/list-zip.js';
export { crc32 } from './zip/crc32.js';

// Pickles: one machine, the globals handed in
export { runPickle } from './pickle/unpickler.js';
export { PickleReader } from './pickle/pickle-reader.js';
export { PickleGlobal, type PickleDialect, type PickleTools } from './pickle/dialect.js';
export { bytesInMemory } from './byte-source.js';
export type { Fail } from './fail.js';
