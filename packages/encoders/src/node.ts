export { exportTorch, type ExportTorchOptions } from './node/export-torch.js';
export { importTorch, type ImportedCheckpoint, type ImportTorchOptions } from './node/import-torch.js';
