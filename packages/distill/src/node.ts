// Teacher outputs computed once and stored (App. A.6.3)
export { teacherHash } from './node/teacher-hash.js';
export {
  writeTeacherOutputs,
  type TeacherBatch,
  type WriteTeacherOutputsOptions,
} from './node/write-teacher-outputs.js';
export { TeacherOutputsFile } from './node/teacher-outputs-file.js';
export { StaleTeacherOutputsError, type TeacherIdentity } from './node/teacher-identity.js';
