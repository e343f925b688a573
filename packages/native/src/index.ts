// Loading: what a program calls.
export { loadTensorFlow, runtimeInfo } from './load-tensorflow.js';
export type { BackendName, LoadOptions, RuntimeInfo, TensorFlow } from './load-tensorflow.js';
export { describeProcessor, type Processor } from './processor.js';

// Installing: what `npx g2d-native` calls.
export { install } from './install.js';
export type { InstallOptions, InstallReport } from './install.js';
export { doctor } from './doctor.js';
export type { DoctorOptions, DoctorReport } from './doctor.js';
export type { Finding } from './finding.js';
export { terminalProgress } from './progress.js';
export type { Progress } from './progress.js';
export type { Host } from './host.js';
export type { RunCommand, CommandResult } from './run-command.js';
export type { Variant } from './wheels.js';

export { NativeError } from './errors.js';
export type { NativeErrorCode } from './errors.js';
