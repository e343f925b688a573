// Starts the worker from its TypeScript source; in the built package, worker.js is started itself.
import { register } from 'tsx/esm/api';

register();
await import('./worker.ts');
