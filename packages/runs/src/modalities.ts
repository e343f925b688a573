import {
  OptionError,
  perModality,
  UnknownModalityError,
  type MultimodalDataset,
  type Task,
  shown,
  ownValue,
} from '@g2d/core';
import type { RunConfig } from './config-schema.js';

/** Among a run's teachers the one that has all modalities: no modality is called so. */
export const FULL_TEACHER = 'fused';

/** What a model is built for. */
export type ModelData = Pick<
  MultimodalDataset<string>,
  'name' | 'modalities' | 'shapes' | 'task' | 'classNames'
>;

/** What a model takes and gives; recorded in a run's `config.json`, so that a student can tell whether a teacher fits. */
export interface ModelFacts {
  readonly task: Task;
  /** C, or 1 for a regression. */
  readonly classes: number;
  /** Of one sample, by modality, in the dataset's order. */
  readonly shapes: Readonly<Record<string, readonly (number | null)[]>>;
}

/** What a model of some of a dataset's modalities takes and gives. */
export const factsOf = (
  modalities: readonly string[],
  { task, classNames, shapes }: ModelData,
): ModelFacts => ({
  task,
  classes: task === 'regression' ? 1 : classNames.length,
  shapes: perModality(modalities, (name) => shapes[name] as readonly (number | null)[]),
});

/**
 * The modalities that a run's model has, in the dataset's order.
 *
 * @throws {UnknownModalityError} If one is named that the dataset lacks.
 * @throws {OptionError} If one has no encoder.
 */
export function modalitiesOf(config: RunConfig, data: ModelData): readonly string[] {
  const { modalities, encoders } = config;
  const { augment } = config.data;
  // A teacher of all modalities is no modality's.
  const { [FULL_TEACHER]: _, ...teachers } = config.teachers ?? {};
  const named = { encoders, 'data.augment': augment, teachers };
  for (const [key, record] of Object.entries(named)) {
    const strange = Object.keys(record).find((modality) => !data.modalities.includes(modality));
    if (strange === undefined) continue;
    throw new OptionError(
      `"${key}" has "${strange}", but the dataset ${data.name} has no such modality; it has ${data.modalities.join(', ')}.`,
      { option: `${key}.${strange}`, value: strange, accepted: data.modalities.join(', ') },
    );
  }
  const flat = Object.keys(augment).find((modality) => ownValue(data.shapes, modality)?.length !== 3);
  if (flat !== undefined) {
    throw new OptionError(
      `"data.augment.${flat}" crops pictures [H, W, C], but ${flat} has the shape ${shown(data.shapes[flat])}.`,
      { option: `data.augment.${flat}`, value: data.shapes[flat], accepted: 'a modality of pictures' },
    );
  }
  for (const modality of modalities ?? []) {
    if (data.modalities.includes(modality)) continue;
    throw new UnknownModalityError({ modality, known: data.modalities, where: `The dataset ${data.name}` });
  }
  const chosen = modalities ?? Object.keys(encoders);
  const without = chosen.find((modality) => !ownValue(encoders, modality));
  if (without !== undefined) {
    throw new OptionError(
      `"encoders" has none for ${without}. Add one, or leave ${without} out of "modalities".`,
      {
        option: 'encoders',
        value: Object.keys(encoders),
        accepted: chosen.join(', '),
      },
    );
  }
  return data.modalities.filter((modality) => chosen.includes(modality));
}
