import { craDriver } from './cra.js';
import { mminDriver } from './mmin.js';
import type { SystemDriver } from '../missing-case.js';

/** How the cases of each system are run. */
export const systemDrivers: readonly SystemDriver[] = [craDriver, mminDriver];
