// What `@g2d/cli` needs of runs beside their public names. It may change with every version.
export { METHOD_NAMES } from './method-names.js';
export { modalitiesOf } from './modalities.js';
export { findDataset } from './components.js';
export { evaluateMasked, presenceOf, type MaskedEvaluation } from './evaluate-masked.js';
export { evaluateOptions, evaluateSplit, type SplitEvaluation } from './evaluate-split.js';
export { exportModel, type ExportedModel } from './export-model.js';
export { surviveClosed } from './node/progress.js';
export { stopCode } from './node/stop-signal.js';
export { openData } from './open-data.js';
export { dataDifferences } from './identity.js';
export { importDefault, isModulePath, moduleFile } from './import-module.js';
export { withAbsolutePath } from './node/absolute-path.js';
export { assertTrusted, describeModules, modulesOf } from './trust.js';
export { logOf } from './sweep/failure.js';
export { samplesOf } from './samples-of.js';
export { trainPlanned } from './sweep/train-planned.js';
