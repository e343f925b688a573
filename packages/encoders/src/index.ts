export type { EncoderOptions } from './encoder.js';
export { initializeWeights } from './initialize-weights.js';
export { smallAudioEncoder } from './small-audio-encoder.js';
export { smallImageEncoder } from './small-image-encoder.js';
