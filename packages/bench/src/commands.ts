import type { Commands } from '@g2d/cli';

const data: Commands[string] = {
  summary: 'samples a second that reading and decoding deliver, next to what a step takes',
  load: async () => (await import('./data-command.js')).benchData,
};

export default {
  bench: {
    summary: "one training step at a dataset's shapes: milliseconds, peak memory",
    load: async () => (await import('./step-command.js')).bench,
  },
  'bench data': data,
  'data bench': data,
} satisfies Commands;
