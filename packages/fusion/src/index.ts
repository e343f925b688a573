export type { Fusion, FusionLayer } from './fusion.js';
export { lateFusion } from './late-fusion.js';
export { MultimodalModel, type Outputs, type ParameterGroup, type PassMode } from './multimodal-model.js';
