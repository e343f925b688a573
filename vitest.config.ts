import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Tests use the sources of sibling packages: no build is needed.
  ssr: { resolve: { conditions: ['@g2d/source', 'node', 'import', 'module', 'default'] } },
  test: {
    pool: 'forks',
    // Most tests keep one core busy; the default leaves one of two idle.
    maxWorkers: '100%',
    // Ends what hangs, and nothing that is slow: a machine may be many times slower than another, and do other work beside.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [
            'packages/*/src/**/*.test.ts',
            'packages/playground/build/**/*.test.ts',
            'test/{docs,examples}/**/*.test.ts',
            'examples/*/**/*.test.ts',
            'benchmarks/**/*.test.ts',
          ],
        },
      },
      {
        extends: true,
        test: {
          // What computes: run again as on other processors, and with memory that is never 0 (`scripts/test.js`).
          name: 'numeric',
          include: [
            'packages/accelerate/src/{accelerate,freeze}.test.ts',
            'packages/accelerate/src/{accelerate,kernels}/*.test.ts',
            'packages/tensor-ops/src/{optimizers,tensorflow}/*.test.ts',
            'packages/encoders/src/{compiled,golden,resnet18,transformer}.test.ts',
            'packages/parity/src/public-cases.test.ts',
          ],
        },
      },
      {
        extends: true,
        test: {
          // The main job, and runs that are killed: minutes each.
          name: 'slow',
          include: ['examples/*/*.slow.ts', 'packages/*/src/**/*.slow.ts'],
          testTimeout: 1_200_000,
        },
      },
      {
        extends: true,
        test: {
          // Needs a Python with PyTorch, or builds one: not a part of `npm test`.
          name: 'pytorch',
          include: ['packages/*/test/**/*.pytorch.ts'],
          hookTimeout: 3_600_000,
        },
      },
      {
        extends: true,
        test: {
          // Needs a Slurm: not a part of `npm test`.
          name: 'slurm',
          include: ['packages/*/test/**/*.slurm.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'packaging',
          include: ['test/packaging/**/*.test.ts'],
        },
      },
    ],
  },
});
