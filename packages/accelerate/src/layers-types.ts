// Types only: nothing of tfjs-layers is imported at run time, so it works without it.
export type { layers, LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
export type { Tensor } from '@tensorflow/tfjs-core';
