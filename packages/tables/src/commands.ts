import type { Commands } from '@g2d/cli';

export default {
  table: {
    summary: "one of the paper's tables, with our numbers and the published ones",
    load: async () => (await import('./table-command.js')).tableCommand,
  },
  tables: {
    summary: "the paper's tables and figures, and what of each has been run",
    load: async () => (await import('./tables-command.js')).tablesCommand,
  },
  'tables collect': {
    summary: 'what the finished runs came to, as one file to keep or to send',
    load: async () => (await import('./collect-command.js')).collectCommand,
  },
} satisfies Commands;
