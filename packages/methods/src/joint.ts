import { defineStack } from '@g2d/core';
import * as recipes from './recipes.js';

/** Joint training: L_S (Eq. 1), and nothing else. */
export const joint = defineStack({
  name: 'joint',
  label: 'Joint training',
  summary: 'everything at once, nothing done about imbalance',
  recipe: recipes.joint,
  methods: [],
});
