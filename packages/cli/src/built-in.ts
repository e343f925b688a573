import type { Commands } from './command.js';

/** The commands of this package. Each is loaded when it is called, so that `--help` needs no TensorFlow. */
export const builtIn: Commands = {
  train: {
    summary: 'trains one model, in a folder that survives anything',
    load: async () => (await import('./run/train.js')).trainCommand,
  },
  evaluate: {
    summary: 'measures a run again, from a checkpoint',
    load: async () => (await import('./run/evaluate.js')).evaluateCommand,
  },
  report: {
    summary: 'the page of one run',
    load: async () => (await import('./run/report.js')).reportCommand,
  },
  compare: {
    summary: 'several runs in one table and on one page',
    load: async () => (await import('./run/compare.js')).compareCommand,
  },
  export: {
    summary: 'a model for plain TensorFlow.js, in Node or a browser',
    load: async () => (await import('./run/export.js')).exportCommand,
  },
  encoders: {
    summary: 'the encoders, and the options of each',
    load: async () => (await import('./components/commands.js')).encodersCommand,
  },
  fusions: {
    summary: 'the fusions, and the options of each',
    load: async () => (await import('./components/commands.js')).fusionsCommand,
  },
  datasets: {
    summary: 'the datasets, and the options of each',
    load: async () => (await import('./components/commands.js')).datasetsCommand,
  },
  methods: {
    summary: 'the methods, and the options of each',
    load: async () => (await import('./components/commands.js')).methodsCommand,
  },
  sweep: {
    summary: 'trains many runs: a grid of settings, and the teachers that they need',
    load: async () => (await import('./sweep/sweep.js')).sweepCommand,
  },
  'sweep plan': {
    summary: 'the runs of a sweep, without training any',
    load: async () => (await import('./sweep/plan.js')).sweepPlanCommand,
  },
  'sweep status': {
    summary: 'how far each run of a sweep is',
    load: async () => (await import('./sweep/status.js')).sweepStatusCommand,
  },
  'sweep retry': {
    summary: 'the failed runs of a sweep again',
    load: async () => (await import('./sweep/retry.js')).sweepRetryCommand,
  },
  'sweep cancel': {
    summary: 'takes the jobs of a sweep out of the queue',
    load: async () => (await import('./sweep/cancel.js')).sweepCancelCommand,
  },
  'sweep run': {
    summary: 'one run of a sweep, in this process',
    load: async () => (await import('./sweep/run-one.js')).sweepRunCommand,
  },
  'data check': {
    summary: "what is in a dataset's folder, what is missing or broken, how to get it",
    load: async () => (await import('./data/check.js')).dataCheck,
  },
  'data tensor': {
    summary: "one sample's tensors as .npy",
    load: async () => (await import('./data/tensor.js')).dataTensor,
  },
  'data show': {
    summary: 'one sample as a page to look at and to listen to',
    load: async () => (await import('./data/show.js')).dataShow,
  },
  'data prepare': {
    summary: 'frames and sound from the original videos',
    load: async () => (await import('./data/prepare.js')).dataPrepare,
  },
};
