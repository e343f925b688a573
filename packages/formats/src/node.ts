// Arrays
export { openNpy, readNpyText, writeNpy, type NpyFile, type NpyRow, type NpyText } from './node/npy.js';
export { readNpz } from './node/npz.js';
export type { NumberArray } from './node/numpy-elements.js';
export { readIdx, type IdxArray } from './node/idx.js';
export { openHdf5, type Hdf5Array, type Hdf5File } from './node/hdf5.js';
export { readPickle } from './node/pickle/read-pickle.js';
export type { PickleOptions } from './node/pickle/data-dialect.js';
export { NdArray } from './node/pickle/nd-array.js';
export { kindOf, shown } from './node/pickle/kind-of.js';

// Tables
export { parseCsv, readCsv, type CsvRow } from './node/csv.js';
export { readXlsx, type XlsxCell, type XlsxOptions, type XlsxRow } from './node/xlsx.js';

// Sound and pictures
export { decodeWav, readWav, wavInfo, type Wav, type WavInfo, type WavRange } from './node/wav.js';
export { encodeWav } from './node/encode-wav.js';
export { decodeImage, readImage, type ImageLimits, type RgbImage } from './node/image.js';

// Archives
export { readZip, type ZipLimits } from './node/read-zip.js';

// Curves
export { openEventFile, type EventFile } from './node/event-file.js';

// Files as such
export { isGitLfsPointer } from './node/git-lfs.js';
export { readSmallFile } from './node/byte-source.js';
export { writeFileAtomic } from './node/write-file-atomic.js';
