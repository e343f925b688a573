// `@g2d/datasets` is this where a bundler builds for browsers.
export * from './anywhere.js';
export { batches } from './batches-in-thread.js';
