// Table 5
export { concatFusion } from './concat-fusion.js';
export { concatMlpFusion } from './concat-mlp-fusion.js';
export { crossAttentionFusion } from './cross-attention-fusion.js';
export { filmFusion } from './film-fusion.js';
export { gatedFusion } from './gated-fusion.js';
export { lateFusion } from './late-fusion.js';
export { sumFusion } from './sum-fusion.js';
export { fusions } from './fusions.js';

// Networks for fusions of one's own
export { denseNetwork, type DenseNetwork, type DenseNetworkOptions } from './dense-network.js';

// The model, and which of its variables a method acts on
export { MultimodalModel, type FrozenMultimodalModel, type ParameterGroup } from './multimodal-model.js';
export type { EncoderInput } from './encoder-input.js';
export { modalityInScope, type ParameterScope } from './modality-in-scope.js';
