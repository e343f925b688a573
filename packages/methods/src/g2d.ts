import { defineStack } from '@g2d/core';
import { g2dDistillation } from './g2d-distillation.js';
import { modalityPrioritization } from './modality-prioritization.js';
import * as recipes from './recipes.js';

/** G2D: its loss, and sequential modality prioritization. */
export const g2d = defineStack({
  name: 'g2d',
  label: 'G2D',
  summary: 'learns from the teachers, the least confident modality goes first',
  source: { paper: 'G2D, ICCV 2025' },
  recipe: recipes.g2d,
  methods: [g2dDistillation, modalityPrioritization],
});
