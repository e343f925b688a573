export type { Optimizer } from '@g2d/core';
