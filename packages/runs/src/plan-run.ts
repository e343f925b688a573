import type { Method, MultimodalDataset, Split } from '@g2d/core';
import type { RunComponents } from '@g2d/core/run-folder';
import { checkSettings } from './check-settings.js';
import { findDataset, type Found } from './components.js';
import type { RunConfig } from './config-schema.js';
import { planMethods } from './plan-methods.js';
import { planModel, type ModelPlan } from './plan-model.js';

/** What a configuration describes: every name stands for something that was found. Nothing is opened or written. */
export interface RunPlan {
  readonly config: RunConfig;
  readonly dataset: Found<{ readonly split: Split }, MultimodalDataset<string>>;
  readonly model: ModelPlan;
  readonly methods: readonly Method<string>[];
  /** Whether a method asked for teachers. */
  readonly needsTeachers: boolean;
  /** Which of them. */
  readonly teacherKinds: ReadonlySet<'unimodal' | 'full'>;
  /** What all of them say about themselves; not functions of the user's, nor a fusion that is a part of a method. */
  readonly components: RunComponents;
  /** What can be meant, but hardly is. */
  readonly remarks: readonly string[];
  /** Options that modules of the user's have not read so far: sentences for the user. */
  unread(): readonly string[];
}

/**
 * Finds what a configuration names, loads what is the user's, and checks what can be known without the data.
 *
 * @throws {OptionError} If something is unknown, an option is wrong, or settings do not go together.
 * @throws {G2DError} With code `G2D_MODULE` if a module of the user's cannot be loaded.
 */
export async function planRun(config: RunConfig): Promise<RunPlan> {
  const { methods, words, unread } = await planMethods(config);
  const remarks = checkSettings(config, methods);
  const model = await planModel(config, methods);
  const dataset = await findDataset(config.dataset);
  const teacherKinds = new Set(methods.flatMap(({ needs }) => needs?.teachers ?? []));
  return {
    config,
    dataset,
    model,
    methods,
    needsTeachers: teacherKinds.size > 0,
    teacherKinds,
    components: {
      method: [{ name: config.method, ...words }],
      ...model.components,
      ...(dataset.words && { dataset: dataset.words }),
    },
    remarks,
    unread: () => [...unread(), ...model.unread(), ...dataset.unread()],
  };
}
