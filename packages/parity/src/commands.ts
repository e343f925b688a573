import type { Commands } from '@g2d/cli';

export default {
  parity: {
    summary: 'runs parity cases: our numbers next to those of the PyTorch implementation',
    load: async () => (await import('./command.js')).parity,
  },
} satisfies Commands;
