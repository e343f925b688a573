// Named arrays and the values of stored elements
export { decodeSafetensors, encodeSafetensors } from './safetensors.js';
export { ELEMENT_BYTES, float32Values, type ElementType } from './float32-values.js';

// Zip archives
export { listZip, type ZipMember } from './zip/list-zip.js';
export { crc32 } from './zip/crc32.js';

// Pickles: one machine, the globals handed in
export { runPickle } from './pickle/unpickler.js';
export { PickleReader, type PickleEncoding } from './pickle/pickle-reader.js';
export {
  PickleGlobal,
  type OptionalInstructions,
  type PickleDialect,
  type PickleLimits,
  type PickleSentences,
  type PickleTools,
} from './pickle/dialect.js';
export { bytesInMemory, type ByteSource } from './byte-source.js';
export type { Fail } from './fail.js';
