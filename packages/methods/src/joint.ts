import { defineStack } from '@g2d/core';

/** Joint training: L_S (Eq. 1), and nothing else. */
export const joint = defineStack({
  name: 'joint',
  label: 'Joint training',
  summary: 'everything at once, nothing done about imbalance',
  methods: [],
});
