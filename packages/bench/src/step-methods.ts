import type { Method } from '@g2d/trainer';
import { g2dDistillation, modalityPrioritization, ogm, ogmGe } from '@g2d/methods';
import type { StepSetup } from './step-setup.js';

/** α for CREMA-D; a step takes as long with any other. */
const OGM_ALPHA = 0.8;

/** Of targets that are uniform in [0, 1]. */
const TARGET_VARIANCE = 1 / 12;

/** The methods of a setup, for a training of one epoch. */
export function methodsOf({ dataset, method, phase, scope = dataset.scope }: StepSetup): Method<string>[] {
  const others = Object.keys(dataset.modalities).length - 1;
  const idle = Array.from({ length: others }, () => 0);
  const smp = () =>
    modalityPrioritization<string>({
      phaseEpochs: phase === 'joint' ? [...idle, 1] : [1, ...idle],
      scope,
      ...(dataset.task === 'regression' && { targetVariance: TARGET_VARIANCE }),
    });
  switch (method) {
    case 'joint':
      return [];
    case 'smp':
      return [smp()];
    case 'g2d':
      return [g2dDistillation(), smp()];
    case 'umt':
      return [g2dDistillation({ beta: 0 })];
    case 'ogm':
      return [ogm({ alpha: OGM_ALPHA, scope })];
    case 'ogm-ge':
      return [ogmGe({ alpha: OGM_ALPHA, scope, seed: 0 })];
  }
}
