import type { FileFormatError } from '@g2d/core';

/** Makes the error for a problem at the place that is being read. */
export type Fail = (problem: string) => FileFormatError;
