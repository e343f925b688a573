import type { ParameterScope } from '@g2d/fusion';
import { importBaselines } from '../import-baselines.js';
import type { Method } from '../method.js';
import { g2dDistillation } from '../methods/g2d-distillation.js';
import { modalityPrioritization } from '../methods/modality-prioritization.js';
import type { StepSetup } from './step-setup.js';

/** α for CREMA-D; a step takes as long with any other. */
const OGM_ALPHA = 0.8;

/** Of targets that are uniform in [0, 1]. */
const TARGET_VARIANCE = 1 / 12;

/** The methods of a setup, for a training of one epoch. */
export async function methodsOf({
  dataset,
  method,
  phase,
  scope = dataset.scope,
}: StepSetup): Promise<Method<string>[]> {
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
      return [(await loadBaselines()).ogm({ alpha: OGM_ALPHA, scope })];
    case 'ogm-ge':
      return [(await loadBaselines()).ogmGe({ alpha: OGM_ALPHA, scope, seed: 0 })];
  }
}

interface OgmOptions {
  readonly alpha: number;
  readonly scope: ParameterScope;
}

/** What is measured of `@g2d/baselines`, which is built on this package and so is not a dependency of it. */
interface Baselines {
  ogm(options: OgmOptions): Method<string>;
  ogmGe(options: OgmOptions & { readonly seed: number }): Method<string>;
}

const loadBaselines = (): Promise<Baselines> => importBaselines('--method ogm and ogm-ge need');
