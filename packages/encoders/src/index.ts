// Encoders of the paper
export { lstm } from './lstm.js';
export { mobileNetV2 } from './mobilenet-v2.js';
export { resnet18 } from './resnet18.js';
export { tabularMlp } from './tabular-mlp.js';
export { mlp } from './mlp.js';
export { textCnn } from './text-cnn.js';
export { transformer, type SequenceShape } from './transformer.js';
export type { FramesShape, ImageShape } from './encoder.js';

// Small encoders of the small AV-MNIST
export { smallAudioEncoder } from './small-audio-encoder.js';
export { smallImageEncoder } from './small-image-encoder.js';

// For missing modalities
export { flat } from './flat.js';
export { tateEncoder } from './tate-encoder.js';
export { zeroMaskedBlock } from './zero-masked-block.js';

// All of them
export { encoders } from './encoders.js';

// Teachers and initial weights
export { unimodalClassifier } from './unimodal-classifier.js';
export { initializeWeights } from './initialize-weights.js';
