// Arrays
export { openNpy, readNpyText, writeNpy, type NpyFile } from './node/npy.js';
export { readNpz } from './node/npz.js';
export type { NumberArray } from './node/numpy-elements.js';
export { readIdx } from './node/idx.js';
export { openHdf5, type Hdf5File } from './node/hdf5.js';
export { readPickle } from './node/pickle/read-pickle.js';
export { NdArray } from './node/pickle/nd-array.js';
export { kindOf, shown } from './node/pickle/kind-of.js';

// Tables
export { parseCsv, readCsv, readCsvTable } from './node/csv.js';
export { readXlsx } from './node/xlsx.js';

// Sound and pictures
export { decodeWav, readWav, wavInfo } from './node/wav.js';
export { encodeWav } from './node/encode-wav.js';
export { decodeImage, readImage, type RgbImage } from './node/image.js';

// Archives
export { readZip } from './node/read-zip.js';

// Curves
export { openEventFile, type EventFile } from './node/event-file.js';

// Files as such
export { isGitLfsPointer } from './node/git-lfs.js';
export { readSmallFile } from './node/byte-source.js';
export { isFolder, isThere, makeFolder, readIfThere } from './node/files.js';
export { writeFileAtomic } from './node/write-file-atomic.js';
