export { writeFileAtomic } from './node/write-file-atomic.js';
