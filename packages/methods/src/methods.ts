import type { AnyMethod, Recipe, StackDefinition } from '@g2d/core';
import { agm } from './agm.js';
import { cra } from './cra.js';
import { cpmNet } from './cpm-net.js';
import { diMml } from './di-mml.js';
import { diagnosingRelearning } from './diagnosing-relearning.js';
import { dlmg } from './dlmg.js';
import { g2d } from './g2d.js';
import { g2dDistillation } from './g2d-distillation.js';
import { gradientBlending } from './gradient-blending.js';
import { greedy } from './greedy.js';
import { joint } from './joint.js';
import { linearProbe } from './linear-probe.js';
import { misMe } from './mis-me.js';
import { mla } from './mla.js';
import { mmin } from './mmin.js';
import { mmPareto } from './mm-pareto.js';
import { modalityPrioritization } from './modality-prioritization.js';
import { mses } from './mses.js';
import { mslr } from './mslr.js';
import { ogm, ogmGe } from './ogm.js';
import { olm } from './olm.js';
import { pmr } from './pmr.js';
import { qmf } from './qmf.js';
import { reconBoost } from './recon-boost.js';
import { tate } from './tate.js';
import { ume } from './ume.js';
import { umt } from './umt.js';

/**
 * Every method of this package, in the order in which tables show them: from joint training to G2D. Configurations, help and tables take
 * what they know of methods from here.
 */
export const methods: readonly ((AnyMethod | StackDefinition) & { readonly recipe: Recipe })[] = [
  joint,
  linearProbe,
  ume,
  umt,
  gradientBlending,
  ogm,
  ogmGe,
  agm,
  pmr,
  mslr,
  mses,
  greedy,
  diagnosingRelearning,
  qmf,
  olm,
  mla,
  mmPareto,
  reconBoost,
  dlmg,
  diMml,
  cra,
  mmin,
  cpmNet,
  tate,
  misMe,
  modalityPrioritization,
  g2dDistillation,
  g2d,
];
