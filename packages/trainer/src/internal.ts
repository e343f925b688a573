// What the other @g2d packages need of the loop beside its public names. It may change with every version.
export { headline } from './evaluate.js';
export { mapValues } from './map-values.js';
export { assertMethod } from './method-stack.js';
export { disposeState } from './model-state.js';
export { addPasses, NO_PASSES } from './pass-counts.js';
export { RunningMethods } from './running-methods.js';
export { predictorOf } from './predict.js';
export { probeOf } from './probe.js';
export { gatherBytes } from './reduce.js';
export { trainStep, withStep } from './step.js';
export { TrainingContext } from './training.js';
export { staged } from './staged.js';
export { Stages } from './stages.js';
