// Losses
export { studentLoss, type StudentLossOptions } from './student-loss.js'; // Eq. 1
export { featureDistillationLoss, type FeatureDistillationOptions } from './feature-distillation.js'; // Eq. 2
export { logitDistillationLoss, type LogitDistillationOptions } from './logit-distillation.js'; // Eq. 3
export {
  g2dLoss,
  type G2DLoss,
  type G2DLossInputs,
  type G2DLossOptions,
  type TeacherOutputs,
} from './g2d-loss.js'; // Eq. 4; UMT

// Teachers without a student
export { ensembleLogits, type EnsembleLogitsOptions } from './ensemble-logits.js'; // UME
