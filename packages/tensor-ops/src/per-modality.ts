export { perModality, type PerModality } from '@g2d/core';
